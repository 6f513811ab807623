"""The official OpenAI SDK against a served model: what an application sees."""
import json
import urllib.error
import urllib.request

import openai
import pytest

from serving import post

JAPAN = [{"role": "user", "content": "What is the capital of Japan?"}]


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def test_models(client, model):
    listed = client.models.list()
    assert listed.object == "list" and listed.data[0].object == "model"
    assert client.models.retrieve(model).id == model
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("no-such-model")
    assert error.value.body["code"] in (404, "model_not_found")


def test_chat_knows_the_capital_of_japan(client, model):
    answer = client.chat.completions.create(model=model, messages=JAPAN, temperature=0, max_tokens=32)
    assert "Tokyo" in answer.choices[0].message.content
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream_says_the_same_as_the_whole_answer(client, model):
    whole = client.chat.completions.create(model=model, messages=JAPAN, temperature=0, max_tokens=32)
    chunks = list(client.chat.completions.create(
        model=model, messages=JAPAN, temperature=0, max_tokens=32, stream=True,
        stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(c.id == chunks[0].id and c.object == "chat.completion.chunk" for c in chunks)
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    assert reasons == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert all(c.usage is None for c in chunks[:-1])


def test_n_choices_differ_and_repeat_with_the_seed(client, model):
    def ask(seed):
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Write a short poem."}],
            n=3, temperature=1.0, max_tokens=16, seed=seed)
        assert [c.index for c in answer.choices] == [0, 1, 2]
        return [c.message.content for c in answer.choices]

    first = ask(7)
    assert len(set(first)) > 1
    assert ask(7) == first
    assert ask(8) != first


def test_stop_string_ends_the_text_before_it(client, model):
    plain = client.completions.create(model=model, prompt="1, 2, 3, 4, 5,", temperature=0, max_tokens=24)
    stopped = client.completions.create(
        model=model, prompt="1, 2, 3, 4, 5,", temperature=0, max_tokens=24, stop=["8"])
    assert "8" in plain.choices[0].text
    assert stopped.choices[0].text == plain.choices[0].text.split("8")[0]
    assert stopped.choices[0].finish_reason == "stop"
    streamed = "".join(c.choices[0].text for c in client.completions.create(
        model=model, prompt="1, 2, 3, 4, 5,", temperature=0, max_tokens=24, stop=["8"], stream=True))
    assert streamed == stopped.choices[0].text


def test_length_ends_with_length(client, model):
    answer = client.completions.create(model=model, prompt="Once upon a time", max_tokens=5, temperature=0)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5
    assert answer.object == "text_completion"


def test_chat_logprobs(client, model):
    answer = client.chat.completions.create(
        model=model, messages=JAPAN, temperature=0, max_tokens=6, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert len(content) == 6
    for entry in content:
        assert entry.logprob <= 0 and len(entry.top_logprobs) == 3
        assert entry.token == entry.top_logprobs[0].token  # greedy
        assert bytes(entry.bytes).decode(errors="replace") == entry.token
    assert "".join(e.token for e in content) == answer.choices[0].message.content


def test_completion_logprobs_and_echo(client, model):
    answer = client.completions.create(
        model=model, prompt="The sky is", temperature=0, max_tokens=4, logprobs=2)
    logprobs = answer.choices[0].logprobs
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.text_offset) == 4
    assert all(len(top) >= 2 for top in logprobs.top_logprobs)
    echoed = client.completions.create(
        model=model, prompt="The sky is", temperature=0, max_tokens=4, echo=True)
    assert echoed.choices[0].text == "The sky is" + answer.choices[0].text


def test_prompts_as_strings_ids_and_lists(client, model):
    def ask(prompt):
        return [c.text for c in client.completions.create(
            model=model, prompt=prompt, temperature=0, max_tokens=6).choices]

    one, two = ask("The sky is")[0], ask("A list of")[0]
    assert ask(["The sky is", "A list of"]) == [one, two]
    ids = [504, 6376, 314]  # "The sky is"
    assert ask(ids) == ask([ids]) == [one]


@pytest.mark.parametrize("change, field", [
    ({"temperature": 3.0}, "temperature"),
    ({"top_p": 0.0}, "top_p"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"n": 0}, "n"),
    ({"messages": []}, None),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"presence_penalty": 9.0}, "presence_penalty"),
    ({"logit_bias": {"abc": 1}}, "logit_bias"),
    ({"max_tokens": 10_000_000}, None),
])
def test_bad_requests_are_refused_in_the_api_s_shape(server, model, change, field):
    body = {"model": model, "messages": JAPAN, **change}
    status, answer = post(server, "/v1/chat/completions", body)
    assert status == 400
    error = answer["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert field is None or field in json.dumps(error)


def test_unknown_model_is_404(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="gpt-nope", messages=JAPAN)
    assert "gpt-nope" in error.value.body["message"]


def test_broken_json_and_unknown_paths(server):
    assert post(server, "/v1/chat/completions", b'{"messages": [')[0] == 400
    assert post(server, "/v1/nothing", {})[0] == 404
    request = urllib.request.Request(server.url + "/v1/chat/completions", method="GET")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 405


def test_unsupported_field_is_refused_by_name_and_unknown_ones_are_ignored(server, model):
    body = {"model": model, "messages": JAPAN, "max_tokens": 1}
    status, answer = post(server, "/v1/chat/completions", {**body, "prompt_embeds": "AAAA"})
    assert status == 400 and "prompt_embeds" in json.dumps(answer)
    assert post(server, "/v1/chat/completions", {**body, "made_up_field": 1})[0] == 200
    assert post(server, "/v1/chat/completions", {**body, "user": "somebody"})[0] == 200


def test_probes_and_version(server):
    for path in ("/health", "/livez", "/readyz", "/startupz", "/version"):
        assert urllib.request.urlopen(server.url + path).status == 200
    assert "version" in json.load(urllib.request.urlopen(server.url + "/version"))


def test_request_id_comes_back(start):
    server = start("--enable-request-id-headers").wait_ready()
    request = urllib.request.Request(server.url + "/v1/models", headers={"x-request-id": "abc-123"})
    assert urllib.request.urlopen(request).headers["x-request-id"] == "abc-123"


def test_api_keys(start):
    server = start("--api-key", "sesame", "--api-key", "second").wait_ready()
    for key in ("sesame", "second"):
        good = openai.OpenAI(base_url=server.url + "/v1", api_key=key, max_retries=0)
        assert good.models.list().data
    bad = openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        bad.models.list()
    assert urllib.request.urlopen(server.url + "/health").status == 200
