"""The official Anthropic SDK against a served model."""
import anthropic
import pytest

GREEDY = {"temperature": 0}  # the SDK has no such argument any more
JAPAN = [{"role": "user", "content": "What is the capital of Japan?"}]


@pytest.fixture(scope="module")
def claude(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0, timeout=120)


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def test_answers(claude, model):
    message = claude.messages.create(model=model, max_tokens=30, messages=JAPAN, extra_body=GREEDY)
    assert message.type == "message" and message.role == "assistant"
    assert "Tokyo" in message.content[0].text
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0


def test_streams(claude, model):
    whole = claude.messages.create(model=model, max_tokens=30, messages=JAPAN, extra_body=GREEDY)
    with claude.messages.stream(model=model, max_tokens=30, messages=JAPAN, extra_body=GREEDY) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert final.stop_reason == whole.stop_reason


def test_reasons_of_the_end(claude, model):
    cut = claude.messages.create(model=model, max_tokens=2, messages=JAPAN, extra_body=GREEDY)
    assert cut.stop_reason == "max_tokens"
    stopped = claude.messages.create(model=model, max_tokens=30, messages=JAPAN, extra_body=GREEDY,
                                     stop_sequences=["Tokyo"])
    assert stopped.stop_reason == "stop_sequence" and stopped.stop_sequence == "Tokyo"


def test_counts_tokens(claude, model):
    counted = claude.messages.count_tokens(model=model, messages=JAPAN, system="Be kind.")
    message = claude.messages.create(model=model, max_tokens=1, system="Be kind.", messages=JAPAN)
    assert counted.input_tokens == message.usage.input_tokens + message.usage.cache_read_input_tokens


def test_goes_on_with_the_assistants_words(claude, model):
    message = claude.messages.create(
        model=model, max_tokens=8, extra_body=GREEDY,
        messages=[*JAPAN, {"role": "assistant", "content": "The capital of Japan is"}])
    assert "Tokyo" in message.content[0].text


def test_errors_have_anthropics_shape(claude, model):
    with pytest.raises(anthropic.BadRequestError) as error:
        claude.messages.create(model=model, max_tokens=5, messages=[])
    assert error.value.body["error"]["type"] == "invalid_request_error"
    with pytest.raises(anthropic.NotFoundError) as error:
        claude.messages.create(model="no-such-model", max_tokens=5, messages=JAPAN)
    assert error.value.body["error"]["type"] == "not_found_error"


def test_keys(start):
    running = start("--api-key", "secret").wait_ready()
    def ask(key):
        return anthropic.Anthropic(base_url=running.url, api_key=key, max_retries=0).messages.create(
            model="smollm2-135m", max_tokens=1, messages=JAPAN)
    assert ask("secret").stop_reason == "max_tokens"
    with pytest.raises(anthropic.AuthenticationError):
        ask("wrong")
