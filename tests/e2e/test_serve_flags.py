"""Flags of `vllm serve`: they act, or a word says why they change nothing, or they are refused."""

import pytest

from serving import post

FLAGS = ["--max-logprobs", "-1", "--seed", "7", "--disable-fastapi-docs", "--dtype", "half",
         "--fingerprint_mode", "custom", "--fingerprint-value", "mine", "-asc", "2", "-O3",
         "--override-generation-config.max_new_tokens=6", "--default-chat-template-kwargs.x", "1"]


def sampled(server):
    return [post(server, "/v1/completions", {"prompt": "Once", "temperature": 1.5})[1]
            ["choices"][0]["text"] for _ in range(2)]


def test_flags_act(start):
    server = start(*FLAGS).wait_ready()
    assert "--api-server-count changes nothing here: " in server.output()
    texts = sampled(server)
    assert texts[0] != texts[1]
    status, answer = post(server, "/v1/completions",
                          {"prompt": "Once", "max_tokens": 1, "prompt_logprobs": -1, "echo": True})
    assert status == 200 and answer["system_fingerprint"] == "mine"
    assert len(answer["choices"][0]["prompt_logprobs"]) == 1
    status, answer = post(server, "/v1/chat/completions",
                          {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2,
                           "logprobs": True, "top_logprobs": -1})
    counts = [len(token["top_logprobs"]) for token in answer["choices"][0]["logprobs"]["content"]]
    assert status == 200 and counts == [49152] * 2
    for page in ("/docs", "/openapi.json"):
        assert post(server, page, {})[0] in (404, 405)
    assert post(server, "/v1/completions", {"prompt": "Once"})[1]["usage"]["completion_tokens"] == 6
    assert server.stop() == 0

    again = start(*FLAGS).wait_ready()
    assert sampled(again) == texts, "the same requests in the same order"


def test_a_file_of_flags_may_have_maps(start, tmp_path):
    path = tmp_path / "serve.yaml"
    path.write_text("max_logprobs: 3\noverride-generation-config:\n  max_new_tokens: 4\n"
                    "enable-lora: false\n")
    server = start("--config", str(path)).wait_ready()
    answer = post(server, "/v1/completions", {"prompt": "Once"})[1]
    assert answer["usage"]["completion_tokens"] == 4
    status, answer = post(server, "/v1/completions", {"prompt": "Once", "logprobs": 4})
    assert status == 400 and "max allowed: 3" in answer["error"]["message"]


@pytest.mark.parametrize("flags, why", [
    (["--enable-lora"], "--enable-lora cannot be served: there are no adapters"),
    (["--ssl-certfile", "x"], "--ssl-certfile x cannot be served"),
    (["--logprobs-mode", "raw_logits"], "--logprobs-mode raw_logits cannot be served"),
    (["--nonsense"], "unknown option 'nonsense'"),
])
def test_what_would_change_answers_is_refused(start, flags, why):
    server = start(*flags)
    assert server.process.wait(30) != 0 and why in server.output()
