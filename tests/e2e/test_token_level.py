"""Requests rendered, generated from, and ended by their ids: the token-level routes.

What a request renders to must generate what the request itself is answered with, token for token.
"""
import json
import urllib.request

import pytest

import serving

GENERATE = "/inference/v1/generate"
CHAT = {"messages": [{"role": "user", "content": "What is the capital of Japan?"}]}
COMPLETION = {"prompt": "1, 2, 3, 4, 5,"}
ROUTES = {"/v1/chat/completions": CHAT, "/v1/completions": COMPLETION}
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                   "required": ["city"]}}}]


@pytest.fixture(scope="module")
def open_server():
    running = serving.Server("--enable-scale-out", "--max-model-len", "2048").wait_ready()
    yield running
    running.stop()


def events(server, path, body):
    """The events of a stream before [DONE]."""
    request = urllib.request.Request(server.url + path, data=json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        data = [line[6:].strip() for line in answer.read().decode().splitlines() if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(item) for item in data[:-1]]


def rendered(server, path, body):
    status, request = serving.post(server, path + "/render", body)
    assert status == 200, request
    return request[0] if isinstance(request, list) else request


def direct_tokens(server, path, body):
    """Of every choice: its tokens, and why it ended."""
    status, answer = serving.post(server, path, {**body, "return_token_ids": True})
    assert status == 200, answer
    return [(choice["token_ids"], choice["finish_reason"], choice["stop_reason"])
            for choice in answer["choices"]]


def generated_tokens(server, request):
    status, answer = serving.post(server, GENERATE, request)
    assert status == 200, answer
    return [(choice["token_ids"], choice["finish_reason"], choice["stop_reason"])
            for choice in answer["choices"]]


def streamed_tokens(server, request):
    choices = {}
    for event in events(server, GENERATE, {**request, "stream": True}):
        for choice in event["choices"]:
            ids, *_ = choices.get(choice["index"], ([],))
            choices[choice["index"]] = (ids + choice["token_ids"], choice["finish_reason"],
                                        choice["stop_reason"])
    return [choices[index] for index in sorted(choices)]


SAMPLINGS = {
    "plain": {},
    "default length": {"max_tokens": 16},
    "stop": {"stop": ["apan", "8"]},
    "stop shown": {"stop": ["apan", "8"], "include_stop_str_in_output": True},
    "stop token": {"stop_token_ids": [28]},
    "bias": {"logit_bias": {"28": -100}},
    "choice": {"structured_outputs": {"choice": ["Kyoto", "Osaka"]}},
    "json": {"response_format": {"type": "json_schema", "json_schema": {
        "name": "x", "schema": {"type": "object", "properties": {"a": {"type": "integer"}},
                                "required": ["a"], "additionalProperties": False}}}},
    "grammar": {"grammar": 'root ::= "ab" | "cd"'},
    "seed": {"temperature": 1.0, "seed": 7, "top_p": 0.9, "top_k": 30},
    "two": {"temperature": 1.0, "seed": 7, "n": 2},
    "penalties": {"repetition_penalty": 1.3, "presence_penalty": 0.5, "frequency_penalty": 0.5},
    "llama.cpp's samplers": {"temperature": 1.0, "seed": 3, "repeat_penalty": 1.2, "dry_multiplier": 0.8,
                             "xtc_probability": 0.5, "xtc_threshold": 0.1, "typical_p": 0.9,
                             "samplers": ["dry", "penalties", "top_k", "typ_p", "xtc", "temperature"]},
    "mirostat": {"temperature": 1.0, "seed": 3, "mirostat": 2, "mirostat_tau": 4.0},
    "bad words": {"bad_words": ["6", "Tokyo"]},
    "identity": {"cache_salt": "mine", "priority": 3, "request_id": "me"},
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("name", SAMPLINGS)
def test_what_is_rendered_generates_the_answer(open_server, path, name):
    body = {**ROUTES[path], "temperature": 0, "max_tokens": 20, **SAMPLINGS[name]}
    request = rendered(open_server, path, body)
    expected = direct_tokens(open_server, path, body)
    assert generated_tokens(open_server, request) == expected
    assert streamed_tokens(open_server, request) == expected


@pytest.mark.parametrize("path", ROUTES)
def test_text_and_usage_are_those_of_the_answer(open_server, path):
    body = {**ROUTES[path], "temperature": 0, "max_tokens": 20, "stop": ["apan", "8"]}
    _, direct = serving.post(open_server, path, body)
    request = {**rendered(open_server, path, body), "output_mode": "text"}
    _, answer = serving.post(open_server, GENERATE, request)
    choice = direct["choices"][0]
    assert answer["choices"][0]["text"] == (choice["text"] if "text" in choice else choice["message"]["content"])
    assert answer["usage"] == direct["usage"]
    assert answer["prompt_token_ids"] is None
    streamed = events(open_server, GENERATE, {**request, "stream": True,
                                              "stream_options": {"include_usage": True}})
    assert "".join(choice["text"] for event in streamed for choice in event["choices"]) == \
        answer["choices"][0]["text"]
    assert streamed[-1]["usage"] == answer["usage"]


def test_log_probabilities_are_those_of_the_answer(open_server):
    body = {**CHAT, "temperature": 0, "max_tokens": 6, "logprobs": True, "top_logprobs": 2}
    _, direct = serving.post(open_server, "/v1/chat/completions", body)
    theirs = direct["choices"][0]["logprobs"]["content"]
    request = rendered(open_server, "/v1/chat/completions", body)
    _, answer = serving.post(open_server, GENERATE, request)
    entries = answer["choices"][0]["logprobs"]["content"]
    assert [entry["token_id"] for entry in entries] == answer["choices"][0]["token_ids"]
    assert [entry["logprob"] for entry in entries] == [entry["logprob"] for entry in theirs]
    for entry, other in zip(entries, theirs):
        assert entry["rank"] == 1 and entry["top_logprobs"][0]["token_id"] == entry["token_id"]
        assert [top["logprob"] for top in entry["top_logprobs"]] == [top["logprob"] for top in other["top_logprobs"]]
        assert [top["rank"] for top in entry["top_logprobs"]] == [1, 2]
    streamed = [entry for event in events(open_server, GENERATE, {**request, "stream": True})
                for choice in event["choices"] for entry in choice["logprobs"]["content"]]
    assert streamed == entries
    _, answer = serving.post(open_server, GENERATE, {**request, "output_mode": "text"})
    assert answer["choices"][0]["logprobs"]["content"] == theirs


def test_every_prompt_has_its_request(open_server):
    body = {"prompt": ["1, 2, 3,", [504, 3575], "A"], "temperature": 0, "max_tokens": 4,
            "return_token_offsets": True}
    status, requests = serving.post(open_server, "/v1/completions/render", body)
    assert status == 200
    expected = direct_tokens(open_server, "/v1/completions", body)
    assert [generated_tokens(open_server, request)[0] for request in requests] == expected
    assert [request["token_offsets"] is None for request in requests] == [False, True, False]


@pytest.mark.parametrize("choice", ["required", "auto", {"type": "function", "function": {"name": "get_weather"}}])
def test_calls_of_tools_are_generated_as_they_are_answered(coder, choice):
    path = "/v1/chat/completions"
    body = {"model": serving.CODER, "messages": [{"role": "user", "content": "Is it raining in Oslo?"}],
            "tools": TOOLS, "tool_choice": choice, "temperature": 0, "max_tokens": 60}
    expected = direct_tokens(coder, path, body)
    request = rendered(coder, path, body)
    # The finish reason of an answer tells of calls; that of tokens tells how they ended.
    assert [tokens for tokens, *_ in generated_tokens(coder, request)] == [tokens for tokens, *_ in expected]


def test_a_gap_is_generated_as_it_is_filled(coder):
    body = {"model": serving.CODER, "prompt": "def add(a, b):\n    return ", "suffix": "\n", "temperature": 0,
            "max_tokens": 24}
    expected = direct_tokens(coder, "/v1/completions", body)
    assert generated_tokens(coder, rendered(coder, "/v1/completions", body)) == expected


def test_an_answer_is_ended_by_its_id(open_server):
    body = {"token_ids": [504, 3575], "request_id": "long", "stream": True,
            "sampling_params": {"temperature": 0, "ignore_eos": True}}
    request = urllib.request.Request(open_server.url + GENERATE, data=json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        lines = (line for line in answer if line.startswith(b"data: "))
        first = json.loads(next(lines)[6:])
        with urllib.request.urlopen(urllib.request.Request(
                open_server.url + "/inference/v1/abort_requests",
                data=json.dumps({"request_ids": [first["request_id"]]}).encode(),
                headers={"content-type": "application/json"}), timeout=60) as aborted:
            assert aborted.status == 200 and aborted.read() == b""
        rest = [line[6:].strip() for line in lines]
    assert rest[-1] == b"[DONE]"
    assert json.loads(rest[-2])["choices"][0]["finish_reason"] == "abort"


@pytest.mark.parametrize("path", [GENERATE, "/inference/v1/abort_requests", "/v1/chat/completions/render",
                                  "/v1/completions/render"])
def test_without_the_flag_the_routes_are_closed(server, path):
    status, answer = serving.post(server, path, {})
    assert status == 403
    assert answer["error"]["type"] == "PermissionDeniedError"
    assert "--enable-scale-out" in answer["error"]["message"]
