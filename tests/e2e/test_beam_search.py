"""use_beam_search: the likeliest answers in order, as vLLM 0.32 found them with the same weights."""
import concurrent.futures
import http.client
import json

import pytest

import serving
from serving import Server, eventually, post

RECORDED = [json.loads(line) for line in
            (serving.ROOT / "tests/golden/beams/vllm.jsonl").read_text().splitlines()]
CAPITAL = {"prompt": "The capital of France is", "use_beam_search": True, "max_tokens": 4, "n": 2}


@pytest.fixture(scope="module")
def exact():
    """A server of the recorded weights."""
    running = Server("--served-model-name", "smollm2", "--quantization", "none",
                     "--dtype", "float32", "--kv-cache-dtype", "auto").wait_ready()
    yield running
    running.stop()


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: json.dumps(case["body"])[50:120])
def test_finds_the_beams_of_vllm(exact, case):
    status, answer = post(exact, case["path"], case["body"])
    assert status == 200, answer
    found = [{"text": choice["text"] if "text" in choice else choice["message"]["content"],
              **{key: choice[key] for key in ("token_ids", "finish_reason", "stop_reason")}}
             for choice in answer["choices"]]
    assert found == case["choices"]
    assert answer["usage"]["completion_tokens"] == case["completion_tokens"]


def test_logprobs_are_of_the_tokens_found(server):
    status, answer = post(server, "/v1/completions", {**CAPITAL, "logprobs": 2})
    assert status == 200, answer
    for choice in answer["choices"]:
        shown = choice["logprobs"]
        assert "".join(shown["tokens"]) == choice["text"]
        assert all(len(top) in (2, 3) and token in top for token, top
                   in zip(shown["tokens"], shown["top_logprobs"]))
    status, answer = post(server, "/v1/chat/completions",
                          {"messages": [{"role": "user", "content": "Hi"}], "use_beam_search": True,
                           "max_tokens": 4, "logprobs": True, "top_logprobs": 3})
    entries = answer["choices"][0]["logprobs"]["content"]
    assert len(entries) == 4 and all(len(entry["top_logprobs"]) == 3 for entry in entries)


def test_the_same_whatever_else_runs(server):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(server, "/v1/completions", CAPITAL), range(4)))
    assert len({json.dumps(answer["choices"]) for _, answer in answers}) == 1


@pytest.mark.parametrize("fields, param", [
    ({"stream": True}, None),
    ({"n": 11}, "n"),
    ({"echo": True, "logprobs": 1}, "echo"),
    ({"logprobs": 1, "logprob_token_ids": [1]}, "logprob_token_ids"),
    ({"length_penalty": "x"}, "body.length_penalty"),
    ({"structured_outputs": {"choice": ["a"]}}, "structured_outputs"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"logit_bias": {"5": 1}}, "logit_bias"),
    ({"stop": "."}, "stop"),
    ({"min_tokens": 2}, "min_tokens"),
])
def test_what_it_does_not_go_together_with(server, fields, param):
    status, answer = post(server, "/v1/completions", {**CAPITAL, **fields})
    assert status == 400, answer
    assert (answer["error"]["param"] or None) == param or param in str(answer["error"]["param"])


def test_chats_are_not_streamed_either(server):
    status, answer = post(server, "/v1/chat/completions",
                          {"messages": [{"role": "user", "content": "Hi"}], "stream": True,
                           "use_beam_search": True})
    assert status == 400 and "beam search" in answer["error"]["message"]


def test_a_client_that_leaves_ends_the_search(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/v1/completions", json.dumps(
        {**CAPITAL, "n": 8, "max_tokens": 4000}), {"content-type": "application/json"})
    # Between two steps nothing runs: the request is what lasts.
    eventually(lambda: server.metric("baton_frontend_active_requests"), "it never began")
    connection.close()

    def quiet():
        return server.metric("baton_frontend_active_requests") == 0 and \
            server.metric("vllm:num_requests_running") == 0
    eventually(quiet, "it goes on")
