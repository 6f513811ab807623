"""Clients that leave, workers that die, prefixes that come back."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import time

import openai
import pytest

import serving


def sdk(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=120)


def open_stream(server, max_tokens=4000, headers=None):
    """A raw streaming connection that has begun to answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/completions", json.dumps({
        "model": serving.MODEL, "prompt": "Once upon a time", "max_tokens": max_tokens,
        "stream": True, "ignore_eos": True}), {"content-type": "application/json", **(headers or {})})
    response = connection.getresponse()
    assert response.status == 200
    response.read1(1)
    connection.response = response
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
    server = start("--served-model-name", "alpha", "beta").wait_ready()
    client = sdk(server)
    assert [m.id for m in client.models.list().data] == ["alpha", "beta"]
    for name in ("alpha", "beta"):
        assert client.completions.create(model=name, prompt="Hi", max_tokens=1).model == name


def events_of(response):
    """The payloads of an event stream; fails when it was cut."""
    return [line[6:] for line in response.read().decode().splitlines() if line.startswith("data: ")]


def test_a_stream_that_outlives_the_drain_ends_with_one_terminal_event(start):
    server = start("--drain-timeout", "1", "--api-key", "k").wait_ready()
    stream = open_stream(server, headers={"authorization": "Bearer k"})
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    events = events_of(stream.response)
    errors = [e for e in events if e != "[DONE]" and "error" in json.loads(e)]
    done = events.count("[DONE]")
    assert len(errors) <= 1 and done <= 1 and len(errors) + done >= 1, events[-3:]
    assert events[-1] in ("[DONE]", *errors), events[-3:]
    assert server.process.wait(15) in (0, 1)
    assert time.monotonic() - began < 10, server.output()


def test_nobody_waits_for_a_server_that_drains(start):
    server = start("--drain-timeout", "5").wait_ready()
    stream = open_stream(server)
    server.process.send_signal(signal.SIGTERM)

    def refused():
        try:
            socket.create_connection(("127.0.0.1", server.port), 5).close()
            return False
        except ConnectionRefusedError:
            return True
    serving.eventually(refused, "new connections are refused", 3)
    assert server.process.poll() is None, "it still drains"
    stream.close()
    assert server.process.wait(15) == 0


def test_api_keys_with_commas_that_nobody_can_read(start):
    server = start("--api-key", "one,two", "three").wait_ready()
    for key, allowed in (("one,two", True), ("three", True), ("one", False), ("two", False)):
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=key, max_retries=0)
        if allowed:
            assert client.models.list().data
        else:
            with pytest.raises(openai.AuthenticationError):
                client.models.list()
    for program in ("baton-frontend", "baton-router", "baton-worker"):
        for pid in server.children(program):
            arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"one,two" not in arguments and b"three" not in arguments


@pytest.mark.parametrize("port", ["99999", "-1", "65536"])
def test_a_port_that_there_is_not_is_refused(start, port):
    server = start("--port", port)
    assert server.process.wait(30) == 1
    assert f"port={port} is not from 0 to 65535" in server.output()


def test_two_signals_of_one_key_press_end_it_in_order(start):
    server = start("--drain-timeout", "20").wait_ready()
    stream = open_stream(server, max_tokens=40)
    server.process.send_signal(signal.SIGINT)
    serving.eventually(lambda: "ShdPnd:\t0000000000000000" in pathlib.Path(
        f"/proc/{server.process.pid}/status").read_text(), "the first is taken", 1)
    server.process.send_signal(signal.SIGTERM)
    assert events_of(stream.response)[-1] == "[DONE]"
    assert server.process.wait(15) == 0
