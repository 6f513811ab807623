"""Tools through the Responses API and Anthropic's: the same calls in the words of others."""
import json

import anthropic
import openai
import pytest

import serving

CODER = serving.CODER
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = "What is the weather in Oslo?"
RESULT = json.dumps({"temperature": -7, "sky": "snow"})


@pytest.fixture(scope="module")
def responses(coder):
    return openai.OpenAI(base_url=coder.url + "/v1", api_key="none", max_retries=0, timeout=120).responses


@pytest.fixture(scope="module")
def messages(coder):
    return anthropic.Anthropic(base_url=coder.url, api_key="none", max_retries=0, timeout=120).messages


def respond(responses, **fields):
    tool = {"type": "function", "name": "get_weather", "description": "Get the current weather of a city",
            "parameters": CITY, "strict": False}
    fields = {"input": QUESTION, "tools": [tool], "temperature": 0, "max_output_tokens": 120} | fields
    return responses.create(model=CODER, **fields)


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "name": "get_weather"}],
                         ids=["auto", "required", "named"])
def test_a_response_calls_and_answers_from_the_result(responses, choice):
    called = respond(responses, tool_choice=choice)
    (call,) = [item for item in called.output if item.type == "function_call"]
    assert call.name == "get_weather" and json.loads(call.arguments) == {"city": "Oslo"}
    assert call.call_id and call.id and call.status == "completed"
    told = respond(responses, input=[
        {"role": "user", "content": QUESTION}, call.model_dump(exclude_none=True),
        {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}])
    assert "7" in told.output_text or "snow" in told.output_text


def test_a_streamed_response_builds_the_same_call(responses):
    events = list(respond(responses, stream=True))
    arguments = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
    (done,) = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert json.loads(arguments) == json.loads(done.arguments) == {"city": "Oslo"}
    assert [e.sequence_number for e in events] == list(range(len(events)))
    final = events[-1].response
    assert events[-1].type == "response.completed"
    assert [item.arguments for item in final.output if item.type == "function_call"] == [arguments]


def message(api, **fields):
    tool = {"name": "get_weather", "description": "Get the current weather of a city", "input_schema": CITY}
    fields = {"messages": [{"role": "user", "content": QUESTION}], "tools": [tool],
              "max_tokens": 120, "extra_body": {"temperature": 0}} | fields
    return api.create(model=CODER, **fields)


@pytest.mark.parametrize("choice", ["auto", "any", "tool"])
def test_a_message_uses_a_tool_and_answers_from_the_result(messages, choice):
    named = {"name": "get_weather"} if choice == "tool" else {}
    called = message(messages, tool_choice={"type": choice, **named})
    (use,) = [block for block in called.content if block.type == "tool_use"]
    assert called.stop_reason == "tool_use"
    assert use.name == "get_weather" and use.input == {"city": "Oslo"}
    if choice != "auto":
        return
    told = message(messages, messages=[
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": [{"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": RESULT}]}])
    assert told.stop_reason == "end_turn" and ("7" in told.content[0].text or "snow" in told.content[0].text)


def test_a_streamed_message_has_its_blocks_in_order(messages):
    events = list(message(messages, stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    index, partial = -1, ""
    for event in events:
        if event.type == "content_block_start":
            index += 1
        if event.type.startswith("content_block"):
            assert event.index == index
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            partial += event.delta.partial_json
    assert json.loads(partial) == {"city": "Oslo"}
    assert events[-2].delta.stop_reason == "tool_use"


def test_a_message_counts_what_came_from_the_cache(messages):
    long = [{"role": "user", "content": "Count with me: " + " ".join(map(str, range(200)))}]
    first = message(messages, messages=long, max_tokens=1)
    again = message(messages, messages=long, max_tokens=1)
    total = first.usage.input_tokens + first.usage.cache_read_input_tokens
    assert again.usage.cache_read_input_tokens > 0
    assert again.usage.input_tokens + again.usage.cache_read_input_tokens == total


def test_an_empty_salt_is_refused(messages):
    with pytest.raises(anthropic.BadRequestError, match="cache_salt"):
        message(messages, extra_body={"cache_salt": ""})
