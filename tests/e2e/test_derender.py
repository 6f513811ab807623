"""Tokens turned back into OpenAI objects: render, generate and derender make the direct answer, and a
stream says the same however its tokens are cut into chunks."""
import json

import pytest

import serving
from test_token_level import CHAT, GENERATE, TOOLS, events, rendered

COMPLETION = {"prompt": "def add(a, b):", "max_tokens": 24, "temperature": 0}
WORLD = "Grüße 😀, 東京! €"


@pytest.fixture(scope="module")
def thinker():
    """Its replies are read: reasoning first, then calls."""
    running = serving.Server("--enable-scale-out", "--max-model-len", "2048", "--reasoning-parser",
                             "qwen3").wait_ready()
    yield running
    running.stop()


def derendered(server, path, body):
    status, answer = serving.post(server, path + "/derender", body)
    assert status == 200, answer
    return answer


def comparable(answer):
    """What does not change from one answer to the next."""
    answer = json.loads(json.dumps(answer))
    for name in ("id", "created"):
        answer.pop(name)
    for choice in answer["choices"]:
        for call in choice.get("message", {}).get("tool_calls") or []:
            call.pop("id")
    return answer


def by_steps(server, path, body):
    request = rendered(server, path, body)
    status, reply = serving.post(server, GENERATE, request)
    assert status == 200, reply
    is_chat = "messages" in body
    prompt = len(request["token_ids"])
    return derendered(server, path, {
        "model": body["model"],
        "generate_response" if is_chat else "generate_responses": reply if is_chat else [reply],
        "prompt_tokens": prompt if is_chat else [prompt],
        "prompt_token_ids": request["token_ids"] if is_chat else [request["token_ids"]],
        "chat_request" if is_chat else "completion_request": body})


CASES = {
    "plain": {}, "logprobs": {"logprobs": True, "top_logprobs": 2}, "stop": {"stop": ["apan"]},
    "token ids": {"return_token_ids": True}, "prompt logprobs": {"prompt_logprobs": 1},
    "special tokens": {"skip_special_tokens": False}, "two": {"n": 2, "seed": 3, "temperature": 1.0},
    "tools": {"tools": TOOLS, "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]},
    "a tool for sure": {"tools": TOOLS, "tool_choice": "required"},
}


@pytest.mark.parametrize("name", CASES)
def test_the_steps_of_a_chat_make_its_answer(coder, name):
    body = {"model": serving.CODER, **CHAT, "temperature": 0, "max_tokens": 40, **CASES[name]}
    status, direct = serving.post(coder, "/v1/chat/completions", body)
    assert status == 200, direct
    assert comparable(by_steps(coder, "/v1/chat/completions", body)) == comparable(direct)


@pytest.mark.parametrize("name", ["plain", "stop", "token ids", "prompt logprobs", "two"])
def test_the_steps_of_a_completion_make_its_answer(coder, name):
    body = {"model": serving.CODER, **COMPLETION, **CASES[name]}
    _, direct = serving.post(coder, "/v1/completions", body)
    assert comparable(by_steps(coder, "/v1/completions", body)) == comparable(direct)


def streamed(server, path, chunks, **fields):
    """All that the chunks of one choice say, and what a state may hold."""
    said = {"content": "", "reasoning": "", "roles": 0, "finish": None, "calls": []}
    state = None
    for chunk in chunks:
        answer = derendered(server, path, {"stream": True, "generate_chunk": chunk, "stream_state": state, **fields})
        state = answer["stream_state"]
        assert len(state["prev_tokens"]) <= 1024
        for choice in answer["chunk"]["choices"]:
            delta = choice.get("delta", {})
            said["content"] += choice.get("text") or delta.get("content") or ""
            said["reasoning"] += delta.get("reasoning") or ""
            said["roles"] += "role" in delta
            said["finish"] = choice["finish_reason"] or said["finish"]
            for call in delta.get("tool_calls", []):
                if call["function"].get("name"):
                    said["calls"].append([call["function"]["name"], ""])
                said["calls"][-1][1] += call["function"]["arguments"]
    return said


def cut(ids, size):
    """Chunks of so many tokens, the last with the end."""
    for begin in range(0, len(ids), size):
        yield {"request_id": "r", "choices": [{"index": 0, "token_ids": ids[begin:begin + size],
                                               "finish_reason": None if begin + size < len(ids) else "stop"}]}


def tokens_of(server, text):
    return serving.post(server, "/tokenize", {"prompt": text, "add_special_tokens": False})[1]["tokens"]


def test_a_generated_stream_is_the_answer(coder):
    body = {"model": serving.CODER, **CHAT, "temperature": 0, "max_tokens": 30,
            "tools": TOOLS, "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]}
    message = serving.post(coder, "/v1/chat/completions", body)[1]["choices"][0]
    request = rendered(coder, "/v1/chat/completions", body)
    said = streamed(coder, "/v1/chat/completions", events(coder, GENERATE, {**request, "stream": True}),
                    chat_request=body, model=serving.CODER, prompt_token_ids=request["token_ids"])
    assert said["content"] == (message["message"]["content"] or "")
    assert said["finish"] == message["finish_reason"]
    assert said["calls"] == [[call["function"]["name"], call["function"]["arguments"]]
                             for call in message["message"].get("tool_calls", [])]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_any_chunking_is_the_same_text(coder, path):
    ids = tokens_of(coder, WORLD)
    for size in range(1, len(ids) + 1):
        said = streamed(coder, path, cut(ids, size), model=serving.CODER)
        assert said["content"] == WORLD and said["finish"] == "stop", size


def test_reasoning_is_read_in_any_chunking(thinker):
    request = {**CHAT, "tools": TOOLS}
    call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Tōkyō"}}\n</tool_call>'
    ids = tokens_of(thinker, f"<think>\nLet me see. {WORLD}\n</think>\n\nHere: {call}")
    whole = derendered(thinker, "/v1/chat/completions", {
        "generate_response": next(cut(ids, len(ids))), "chat_request": request})["choices"][0]
    assert whole["message"]["reasoning"].strip() == f"Let me see. {WORLD}"
    for size in (1, 2, 3, 5, 8, len(ids)):
        said = streamed(thinker, "/v1/chat/completions", cut(ids, size), chat_request=request)
        assert said["reasoning"] == whole["message"]["reasoning"], size
        assert said["content"] == (whole["message"]["content"] or ""), size
        assert said["finish"] == whole["finish_reason"], size
        assert said["roles"] == 1
    status, error = serving.post(thinker, "/v1/chat/completions/derender",
                                 {"generate_response": next(cut(ids, len(ids)))})
    assert status == 400 and "chat_request is required" in error["error"]["message"]
