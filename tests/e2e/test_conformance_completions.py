"""The completions tests of vLLM's own suite, re-enacted with the OpenAI SDK."""
import openai
import pytest

PROMPT = "Hello, my name is"


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def complete(client, model, **fields):
    arguments = {"prompt": PROMPT, "max_tokens": 5, "temperature": 0.0, **fields}
    return client.completions.create(model=model, **arguments)


def joined(chunks, index=0):
    return "".join(c.text for chunk in chunks for c in chunk.choices if c.index == index)


def test_single_completion(client, model):
    answer = complete(client, model)
    assert answer.id.startswith("cmpl-") and len(answer.choices) == 1
    choice = answer.choices[0]
    assert len(choice.text) >= 5 and choice.finish_reason == "length"
    assert answer.usage.model_dump(exclude_none=True) == {
        "completion_tokens": 5, "prompt_tokens": 5, "total_tokens": 10}
    assert complete(client, model, prompt=[0, 0, 0, 0, 0]).usage.prompt_tokens == 5


@pytest.mark.parametrize("side, kept", [("right", [0, 1, 2, 3]), ("left", [4, 5, 6, 7])])
def test_truncation_side(client, model, side, kept):
    answer = complete(client, model, prompt=list(range(8)), max_tokens=1, extra_body={
        "truncate_prompt_tokens": 4, "truncation_side": side, "return_token_ids": True})
    assert answer.choices[0].prompt_token_ids == kept
    assert answer.usage.prompt_tokens == 4


def test_no_zero_and_some_logprobs(client, model):
    assert complete(client, model, logprobs=None).choices[0].logprobs is None
    for wanted in (0, 5):
        logprobs = complete(client, model, logprobs=wanted).choices[0].logprobs
        assert len(logprobs.tokens) == len(logprobs.token_logprobs) == 5
        assert len(logprobs.text_offset) == 5 and logprobs.text_offset[0] == 0
        for top in logprobs.top_logprobs:
            assert max(wanted, 1) <= len(top) <= wanted + 1


def test_too_many_logprobs(client, model):
    with pytest.raises(openai.BadRequestError):
        complete(client, model, logprobs=21)
    with pytest.raises(openai.APIError):
        list(complete(client, model, logprobs=30, stream=True))
    assert complete(client, model).choices[0].text


def test_streaming(client, model):
    whole = complete(client, model)
    chunks = list(complete(client, model, stream=True))
    assert joined(chunks) == whole.choices[0].text
    reasons = [c.finish_reason for chunk in chunks for c in chunk.choices]
    assert sum(reason is not None for reason in reasons) == 1
    assert chunks[-1].choices[0].finish_reason == "length" and chunks[-1].choices[0].text


def test_parallel(client, model):
    fields = {"n": 3, "max_tokens": 10, "temperature": 0.95, "seed": 42, "stop": None}
    whole = complete(client, model, **fields)
    assert [c.index for c in whole.choices] == [0, 1, 2]
    assert len({c.text for c in whole.choices}) == 3
    chunks = list(complete(client, model, stream=True, **fields))
    assert [joined(chunks, i) for i in range(3)] == [c.text for c in whole.choices]
    reasons = [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason]
    assert len(reasons) == 3
    assert all(len(chunk.choices) == 1 for chunk in chunks)


def test_stream_options(client, model):
    def stream(**options):
        return list(complete(client, model, stream=True, stream_options=options or None))

    assert all(chunk.usage is None for chunk in stream())
    assert all(chunk.usage is None for chunk in stream(include_usage=False))
    assert all(c.usage is None for c in stream(include_usage=False, continuous_usage_stats=True))
    for extra in ({}, {"continuous_usage_stats": False}):
        chunks = stream(include_usage=True, **extra)
        assert all(chunk.usage is None for chunk in chunks[:-1])
        last = chunks[-1]
        assert last.choices == [] and last.usage.prompt_tokens > 0 and last.usage.completion_tokens == 5
        assert last.usage.total_tokens == last.usage.prompt_tokens + 5
    chunks = stream(include_usage=True, continuous_usage_stats=True)
    counts = [chunk.usage.completion_tokens for chunk in chunks]
    assert counts == sorted(counts) and counts[-1] == 5 and chunks[-1].choices == []


@pytest.mark.parametrize("options", [
    {"include_usage": True}, {"include_usage": None}, {"continuous_usage_stats": True}])
def test_stream_options_without_a_stream(client, model, options):
    with pytest.raises(openai.BadRequestError) as error:
        complete(client, model, stream_options=options)
    assert error.value.body["param"] == "stream_options"


def test_batch(client, model):
    two = complete(client, model, prompt=[PROMPT, PROMPT])
    assert [c.index for c in two.choices] == [0, 1]
    assert two.choices[0].text == two.choices[1].text
    assert two.usage.prompt_tokens == 10 and two.usage.completion_tokens == 10
    texts = {0: "", 1: ""}
    for chunk in complete(client, model, prompt=[PROMPT, PROMPT], stream=True):
        (choice,) = chunk.choices
        texts[choice.index] += choice.text
    assert texts == {0: two.choices[0].text, 1: two.choices[1].text}
    four = complete(client, model, prompt=[PROMPT, "The sky"], n=2, temperature=1.0, seed=1)
    assert [c.index for c in four.choices] == [0, 1, 2, 3]
    assert four.usage.prompt_tokens == 7  # each prompt once


def test_echo(client, model):
    plain = complete(client, model).choices[0].text
    assert complete(client, model, echo=True).choices[0].text == PROMPT + plain
    only = complete(client, model, echo=True, max_tokens=0)
    assert only.choices[0].text == PROMPT and only.choices[0].finish_reason == "length"
    assert joined(list(complete(client, model, echo=True, stream=True))) == PROMPT + plain


@pytest.mark.parametrize("prompt, param", [
    ("", "prompt"), (None, "prompt"), ([], None), ([[]], None), ([-1], "body.prompt.0"),
    ([999999], None), (["a"] * 1025, "prompt")])
def test_bad_prompts(client, model, prompt, param):
    with pytest.raises(openai.BadRequestError) as error:
        complete(client, model, prompt=prompt)
    assert error.value.body["param"] == param
    assert error.value.body["code"] == 400 and error.value.body["message"]


def test_as_many_prompts_as_allowed(client, model):
    answer = complete(client, model, prompt=[[1]] * 1024, max_tokens=1)
    assert len(answer.choices) == 1024


def test_logprobs_that_are_no_number(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        complete(client, model, logprobs="many")
    assert "must be an integer" in error.value.body["message"]


def test_suffix_needs_a_model_with_marks_for_it(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        complete(client, model, suffix="return 1")
    assert error.value.body["param"] == "suffix"


def test_ids_of_prompt_and_answer(client, model):
    answer = complete(client, model, extra_body={"return_token_ids": True})
    choice = answer.choices[0]
    assert len(choice.prompt_token_ids) == 5 and len(choice.token_ids) == 5
    streamed = [i for chunk in complete(client, model, stream=True, extra_body={"return_token_ids": True})
                for i in chunk.choices[0].token_ids]
    assert streamed == choice.token_ids


def test_tokens_shown_as_ids(client, model):
    fields = {"logprobs": 1, "extra_body": {"return_tokens_as_token_ids": True, "return_token_ids": True}}
    choice = complete(client, model, **fields).choices[0]
    assert choice.logprobs.tokens == [f"token_id:{i}" for i in choice.token_ids]


def test_stop_string_with_n_ends_only_its_choice(client, model):
    fields = {"prompt": "1, 2, 3, 4, 5,", "n": 3, "max_tokens": 16, "temperature": 1.0, "seed": 3}
    plain = complete(client, model, **fields)
    stopped = complete(client, model, stop=["7"], **fields)
    for whole, cut in zip(plain.choices, stopped.choices):
        assert cut.text == whole.text.split("7")[0]
        assert cut.finish_reason == ("stop" if "7" in whole.text else whole.finish_reason)


def test_literal_extra_body_counts(client, model):
    answer = complete(client, model, extra_body={"extra_body": {"max_tokens": 2}})
    assert answer.usage.completion_tokens == 2


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_of_named_tokens(client, model, stream):
    """Exactly the drawn token and the named ones, as texts."""
    fields = {"prompt": "The sky is", "max_tokens": 1, "logprobs": 1,
              "extra_body": {"logprob_token_ids": [1, 2, 3], "return_tokens_as_token_ids": True}}
    answer = complete(client, model, stream=stream, **fields)
    choices = [c for chunk in answer for c in chunk.choices] if stream else answer.choices
    maps = [top for choice in choices if choice.logprobs for top in choice.logprobs.top_logprobs]
    assert len(maps) == 1
    drawn = next(c for c in choices if c.logprobs).logprobs.tokens[0]
    assert set(maps[0]) == {drawn, "token_id:1", "token_id:2", "token_id:3"}


def test_logprobs_of_named_tokens_in_a_chat(client, model):
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Hi"}], max_tokens=1, logprobs=True, temperature=0,
        extra_body={"logprob_token_ids": [1, 2, 3], "return_tokens_as_token_ids": True})
    (entry,) = answer.choices[0].logprobs.content
    assert [top.token for top in entry.top_logprobs] == [entry.token, "token_id:1", "token_id:2", "token_id:3"]
    assert entry.top_logprobs[0].logprob == entry.logprob
