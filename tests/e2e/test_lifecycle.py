"""Clients that leave, workers that die, prefixes that come back."""
import concurrent.futures
import http.client
import json
import os
import signal

import openai
import pytest

import serving


def sdk(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=120)


def open_stream(server, max_tokens=4000):
    """A raw streaming connection that has begun to answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/completions", json.dumps({
        "model": serving.MODEL, "prompt": "Once upon a time", "max_tokens": max_tokens,
        "stream": True, "ignore_eos": True}), {"content-type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200
    response.read1(1)
    return connection


def idle(server):
    metrics = server.metrics()
    total = {name: sum(v for _, v in metrics[name]) for name in (
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc")}
    return all(value == 0 for value in total.values())


def test_clients_that_leave_free_everything(server):
    streams = [open_stream(server) for _ in range(6)]
    serving.eventually(lambda: server.metric("vllm:num_requests_running") == 6, "all run")
    assert server.metric("vllm:kv_cache_usage_perc") > 0
    for stream in streams:
        stream.sock.close() if stream.sock else stream.close()
        stream.close()
    serving.eventually(lambda: idle(server), "requests and blocks are freed", 10)


def test_a_client_that_leaves_before_the_answer_is_seen(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/completions", json.dumps({
        "model": serving.MODEL, "prompt": "Once upon a time", "max_tokens": 4000,
        "ignore_eos": True}), {"content-type": "application/json"})
    serving.eventually(lambda: server.metric("vllm:num_requests_running") == 1, "it runs")
    connection.close()
    serving.eventually(lambda: idle(server), "it is cancelled", 10)


def test_metrics_carry_every_service(server):
    sdk(server).completions.create(model=serving.MODEL, prompt="Hello", max_tokens=3)
    metrics = server.metrics()
    for name in ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
                 "vllm:prompt_tokens_total", "vllm:generation_tokens_total",
                 "vllm:time_to_first_token_seconds_count"):
        assert name in metrics, name
    components = {labels.get("component", "") for samples in metrics.values() for labels, _ in samples}
    for component in ("frontend", "router", "worker"):
        assert any(c.startswith(component) for c in components), components


def test_the_second_turn_goes_to_the_worker_that_holds_the_first(start):
    server = start("--workers", "2").wait_ready()
    client = sdk(server)
    serving.eventually(lambda: len(server.metrics().get("vllm:num_requests_running", [])) == 2,
                       "both workers serve")
    for turn in range(3):
        messages = [{"role": "user", "content": f"Story number {turn}. " + "The knight rode on and on. " * 40}]
        first = client.chat.completions.create(
            model=serving.MODEL, messages=messages, temperature=0, max_tokens=8)
        assert first.usage.prompt_tokens > 2 * 64
        before = server.metric("vllm:prefix_cache_hits_total")
        messages += [{"role": "assistant", "content": first.choices[0].message.content},
                     {"role": "user", "content": "And then?"}]
        client.chat.completions.create(model=serving.MODEL, messages=messages, temperature=0, max_tokens=2)
        hits = server.metric("vllm:prefix_cache_hits_total") - before
        assert hits >= first.usage.prompt_tokens // 64 * 64 - 64


def test_a_killed_worker_costs_no_more_than_its_own_streams(start):
    server = start("--workers", "2").wait_ready()
    client = sdk(server)
    serving.eventually(lambda: len(server.metrics().get("vllm:num_requests_running", [])) == 2,
                       "both workers serve")

    def ask(number):
        try:
            answer = client.completions.create(
                model=serving.MODEL, prompt=f"Chapter {number}. Once upon a time", max_tokens=200,
                temperature=0, extra_body={"ignore_eos": True})
            return answer.usage.completion_tokens
        except openai.APIError:
            return 0

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, i) for i in range(8)]
        serving.eventually(lambda: server.metric("vllm:num_requests_running") == 8, "all run")
        os.kill(server.children("baton-worker")[0], signal.SIGKILL)
        finished = [a.result() for a in answers]
    assert finished.count(200) >= 4, finished
    assert ask(99) == 200
    serving.eventually(lambda: len(server.children("baton-worker")) == 2, "the worker is started again")
    serving.eventually(
        lambda: len(server.metrics().get("vllm:num_requests_running", [])) == 2, "and serves")
    assert ask(100) == 200


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_dtype_knows_the_capital_of_japan(start, dtype):
    server = start("--dtype", dtype).wait_ready()
    answer = sdk(server).chat.completions.create(
        model=serving.MODEL, messages=[{"role": "user", "content": "What is the capital of Japan?"}],
        temperature=0, max_tokens=32)
    assert "Tokyo" in answer.choices[0].message.content


def test_served_names(start):
    server = start("--served-model-name", "alpha", "--served-model-name", "beta").wait_ready()
    client = sdk(server)
    assert [m.id for m in client.models.list().data] == ["alpha", "beta"]
    for name in ("alpha", "beta"):
        assert client.completions.create(model=name, prompt="Hi", max_tokens=1).model == name
