"""The chat tests of vLLM's own suite, re-enacted with the OpenAI SDK."""
import json
import urllib.request

import openai
import pytest

import serving

MESSAGES = [{"role": "system", "content": "you are a helpful assistant"},
            {"role": "user", "content": "what is 1+1?"}]


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def chat(client, model, **fields):
    arguments = {"messages": MESSAGES, "max_tokens": 8, "temperature": 0.0, **fields}
    return client.chat.completions.create(model=model, **arguments)


def refused(client, model, **fields):
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, model, **fields)
    body = error.value.body
    assert set(body) >= {"message", "type", "param", "code"} and body["code"] == 400
    return body


def test_logprobs(client, model):
    assert chat(client, model).choices[0].logprobs is None
    assert chat(client, model, logprobs=False).choices[0].logprobs is None
    content = chat(client, model, logprobs=True, top_logprobs=0).choices[0].logprobs.content
    assert len(content) == 8 and all(entry.top_logprobs == [] for entry in content)
    content = chat(client, model, logprobs=True, top_logprobs=5).choices[0].logprobs.content
    assert all(len(entry.top_logprobs) == 5 for entry in content)
    for stream in (False, True):
        with pytest.raises(openai.APIError):
            answer = chat(client, model, logprobs=True, top_logprobs=21, stream=stream)
            list(answer)
    assert chat(client, model).choices


def test_a_session_of_several_turns(client, model):
    answer = chat(client, model, logprobs=True, top_logprobs=5)
    assert answer.id.startswith("chatcmpl-") and len(answer.choices) == 1
    assert answer.choices[0].finish_reason == "length"
    usage = answer.usage
    assert usage.completion_tokens == 8 and usage.total_tokens == usage.prompt_tokens + 8
    message = answer.choices[0].message
    assert message.role == "assistant" and len(message.content) > 0
    turns = [*MESSAGES, {"role": "assistant", "content": message.content},
             {"role": "user", "content": "express your result in json"}]
    assert chat(client, model, messages=turns).choices[0].message.content


def test_streaming(client, model):
    whole = chat(client, model).choices[0].message.content
    chunks = list(chat(client, model, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].delta.role is None for chunk in chunks[1:])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons[-1] == "length" and reasons.count(None) == len(reasons) - 1


def test_stream_options(client, model):
    plain = list(chat(client, model, stream=True, stream_options={"include_usage": False}))
    assert all(chunk.usage is None for chunk in plain)
    chunks = list(chat(client, model, stream=True, stream_options={"include_usage": True}))
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 8
    chunks = list(chat(client, model, stream=True, stream_options={
        "include_usage": True, "continuous_usage_stats": True}))
    assert chunks[0].usage.completion_tokens == 0
    assert all(chunk.usage.prompt_tokens > 0 for chunk in chunks)
    assert chunks[-1].usage.completion_tokens == 8
    assert refused(client, model, stream_options={"include_usage": None})["param"] == "stream_options"


def test_content_as_text_and_as_parts_is_the_same(client, model):
    parts = [{"type": "text", "text": "what is 1+1? please provide the result."}]
    as_parts = chat(client, model, messages=[{"role": "user", "content": parts}])
    as_text = chat(client, model, messages=[{"role": "user", "content": parts[0]["text"]}])
    assert as_parts.choices[0].message.content == as_text.choices[0].message.content


def test_any_role_and_more_fields_are_taken(client, model):
    messages = [{"role": "my-custom-role", "content": "what is 1+1?", "extra_field": "0"}]
    assert chat(client, model, messages=messages, extra_body={"extra_field": "0"}).choices


@pytest.mark.parametrize("seed, kind", [(2**63, "less_than_equal"), (-2**63 - 1, "greater_than_equal")])
def test_seeds_have_64_bits(client, model, seed, kind):
    assert kind in refused(client, model, seed=seed)["message"]
    assert chat(client, model, seed=2**63 - 1, max_tokens=1).choices


def test_n(client, model):
    fields = {"n": 3, "temperature": 1.0, "seed": 5}
    whole = chat(client, model, **fields)
    assert [c.index for c in whole.choices] == [0, 1, 2]
    texts = {}
    for chunk in chat(client, model, stream=True, **fields):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
    assert texts == {c.index: c.message.content for c in whole.choices}
    assert "16384" in refused(client, model, n=16385, temperature=1.0)["message"]
    for n in (0, -1):
        assert refused(client, model, n=n)


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_reasoning_efforts(client, model, effort):
    assert chat(client, model, reasoning_effort=effort, max_tokens=1).choices


def test_an_unknown_reasoning_effort(client, model):
    assert refused(client, model, reasoning_effort="huge")["param"] == "body.reasoning_effort"


def test_echo_of_a_message_that_goes_on(client, model):
    start = "1+1 makes"
    answer = chat(client, model, messages=[*MESSAGES, {"role": "assistant", "content": start}],
                  extra_body={"echo": True, "continue_final_message": True, "add_generation_prompt": False})
    content = answer.choices[0].message.content
    assert content.startswith(start) and len(content) > len(start)
    both = refused(client, model, extra_body={"continue_final_message": True, "add_generation_prompt": True})
    assert "not compatible" in both["message"]


@pytest.mark.parametrize("bias, words", [
    ({"999999": 1}, ["999999", "49152"]), ({"word": 1}, ["word"]), ({"5": "much"}, ["5"]),
    ({"a": 1, "b": 2}, ["'a'", "'b'"])])
def test_bad_logit_bias(client, model, bias, words):
    body = refused(client, model, logit_bias=bias)
    assert all(word in body["message"] for word in words)


def test_bias_decides(client, model):
    answer = chat(client, model, logit_bias={"504": 100}, max_tokens=3, extra_body={"return_token_ids": True})
    assert answer.choices[0].token_ids == [504, 504, 504]


def test_length_fields(client, model):
    assert chat(client, model, max_completion_tokens=2).usage.completion_tokens == 2
    assert refused(client, model, max_tokens=0)["param"] == "max_tokens"
    assert refused(client, model, max_tokens=10**30)["param"] == "max_tokens"


def test_stops(client, model):
    japan = [{"role": "user", "content": "What is the capital of Japan?"}]
    cut = chat(client, model, messages=japan, stop=["apan"]).choices[0]
    assert cut.message.content == "The capital of J" and cut.finish_reason == "stop"
    assert cut.stop_reason == "apan"
    shown = chat(client, model, messages=japan, stop="apan",
                 extra_body={"include_stop_str_in_output": True}).choices[0]
    assert shown.message.content == "The capital of Japan"
    assert refused(client, model, stop=["a", "b", "c", "d", "e"])["param"] == "body.stop"
    assert refused(client, model, stop=[""])


def test_stop_tokens(client, model):
    japan = [{"role": "user", "content": "What is the capital of Japan?"}]
    answer = chat(client, model, messages=japan, extra_body={"return_token_ids": True})
    second = answer.choices[0].token_ids[1]
    stopped = chat(client, model, messages=japan, extra_body={"stop_token_ids": [second]}).choices[0]
    assert stopped.message.content == "The" and stopped.stop_reason == second


@pytest.mark.parametrize("fields", [
    {"user": "u"}, {"metadata": {"a": "b"}}, {"service_tier": "auto"}, {"store": False},
    {"prediction": {"type": "content", "content": "x"}}, {"modalities": ["text"]},
    {"prompt_cache_key": "k"}, {"safety_identifier": "k"}, {"verbosity": "low"}])
def test_what_changes_nothing_is_accepted(client, model, fields):
    assert chat(client, model, max_tokens=1, **fields).choices


def test_templates_of_requests_are_refused_unless_trusted(client, model, start):
    body = {"chat_template": "{{ messages[0].content }}"}
    assert "untrusted" in refused(client, model, extra_body=body)["message"]
    assert refused(client, model, extra_body={"chat_template_kwargs": body})
    trusting = start("--trust-request-chat-template", "--enable-prompt-tokens-details",
                     "--response-role", "bot").wait_ready()
    own = openai.OpenAI(base_url=trusting.url + "/v1", api_key="none", max_retries=0)
    answer = chat(own, None or own.models.list().data[0].id,
                  extra_body={**body, "return_prompt_text": True})
    assert answer.prompt_text == MESSAGES[0]["content"]
    assert answer.choices[0].message.role == "bot"
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    loop = {"chat_template": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"}
    assert "steps" in refused(own, own.models.list().data[0].id, extra_body=loop)["message"]


@pytest.mark.parametrize("body", [b'"text"', b"[1]", b"5", b"null", b"", b"{"])
def test_bodies_that_are_no_objects(server, body):
    request = urllib.request.Request(server.url + "/v1/chat/completions", data=body,
                                     headers={"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=30)
    assert error.value.code == 400
    assert json.load(error.value)["error"]["type"] == "Bad Request"


def test_a_named_tool_excludes_other_structure(client, model):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    named = {"type": "function", "function": {"name": "f"}}
    with pytest.raises(openai.BadRequestError, match="not both"):
        chat(client, model, tools=[tool], tool_choice=named,
             extra_body={"structured_outputs": {"regex": "a"}})


def test_usage_can_be_forced_and_long_prompts_stay_quiet(start):
    """Every chunk has its usage, and the pieces of a long prompt make no chunks of their own."""
    running = start("--enable-force-include-usage", "--max-num-batched-tokens", "64").wait_ready()
    talker = openai.OpenAI(base_url=running.url + "/v1", api_key="none", max_retries=0, timeout=120)
    words = [{"role": "user", "content": "word " * 400}]
    chunks = list(chat(talker, serving.MODEL, messages=words, max_tokens=4, stream=True))
    assert all(chunk.usage for chunk in chunks)
    assert sum(not c.choices[0].delta.content for c in chunks if c.choices) <= 2
    assert chunks[-1].usage.prompt_tokens > 400 and chunks[-1].choices == []


def test_a_salt_keeps_the_caches_apart(start):
    running = start("--enable-prompt-tokens-details").wait_ready()
    talker = openai.OpenAI(base_url=running.url + "/v1", api_key="none", max_retries=0, timeout=120)
    words = [{"role": "user", "content": "word " * 200}]
    def cached(salt):
        answer = chat(talker, serving.MODEL, messages=words, max_tokens=1, extra_body={"cache_salt": salt})
        return answer.usage.prompt_tokens_details.cached_tokens
    assert cached("a") == 0 and cached("a") > 0 and cached("b") == 0


def test_invocations_are_chats_or_completions(server, client, model):
    def invoke(body):
        request = urllib.request.Request(server.url + "/invocations", json.dumps(body).encode(),
                                         {"content-type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=60))
    asked = chat(client, model)
    told = invoke({"messages": MESSAGES, "max_tokens": 8, "temperature": 0})
    assert told["choices"][0]["message"]["content"] == asked.choices[0].message.content
    assert invoke({"prompt": "Hello", "max_tokens": 2})["object"] == "text_completion"
    with pytest.raises(urllib.error.HTTPError) as refused_body:
        invoke({"input": "Hello"})
    assert refused_body.value.code == 400
