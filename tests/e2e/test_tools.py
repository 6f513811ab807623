"""Tools with a model that really calls them: the official OpenAI SDK against Qwen2.5-Coder 0.5B."""
import json

import openai
import pytest

import serving

QWEN = serving.CODER

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Get the current weather of a city",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "The city, for example Oslo"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, "required": ["city", "unit"]}}}
TIME = {"type": "function", "function": {"name": "now", "description": "Get the current time"}}
TOOLS = [WEATHER, TIME]
ASK = [{"role": "user", "content": "What is the weather in Oslo in celsius?"}]
NAMED = {"type": "function", "function": {"name": "get_weather"}}
MODES = pytest.mark.parametrize("choice", ["auto", "required", NAMED], ids=["auto", "required", "named"])


@pytest.fixture(scope="module")
def qwen(coder):
    return openai.OpenAI(base_url=coder.url + "/v1", api_key="none", max_retries=0, timeout=300)


def ask(client, messages=ASK, **options):
    options = {"tools": TOOLS, "temperature": 0, "max_tokens": 120} | options
    return client.chat.completions.create(model=QWEN, messages=messages, **options)


class Streamed:
    """A stream put together as clients do, with the contract of tool calls checked on the way."""

    def __init__(self, chunks):
        self.content, self.calls, self.finish, self.role = "", [], None, None
        for chunk in chunks:
            if not chunk.choices:
                continue
            choice = chunk.choices[0]
            self.role = self.role or choice.delta.role
            self.content += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                if call.id:
                    assert call.index == len(self.calls) and call.function.name
                    assert call.type == "function" and len(call.id) >= 9
                    self.calls.append([call.function.name, ""])
                else:
                    assert call.index == len(self.calls) - 1 and not call.function.name
                self.calls[call.index][1] += call.function.arguments or ""
            if choice.finish_reason:
                assert self.finish is None
                self.finish = choice.finish_reason


def check_arguments(text):
    arguments = json.loads(text)
    assert "oslo" in arguments["city"].lower() and set(arguments) <= {"city", "unit"}
    return arguments


@MODES
def test_a_tool_is_called(qwen, choice):
    answer = ask(qwen, tool_choice=choice).choices[0]
    assert answer.message.role == "assistant"
    assert answer.finish_reason == ("stop" if choice is NAMED else "tool_calls")
    call = answer.message.tool_calls[0]
    assert call.type == "function" and call.function.name == "get_weather" and len(call.id) >= 9
    check_arguments(call.function.arguments)
    assert not (answer.message.content or "").strip()


@MODES
def test_the_stream_says_the_same(qwen, choice):
    whole = ask(qwen, tool_choice=choice).choices[0]
    streamed = Streamed(ask(qwen, tool_choice=choice, stream=True))
    assert streamed.role == "assistant" and streamed.finish == whole.finish_reason
    assert streamed.content == (whole.message.content or "")
    assert [tuple(c) for c in streamed.calls] == [
        (c.function.name, c.function.arguments) for c in whole.message.tool_calls]


@pytest.mark.parametrize("stream", [False, True])
def test_the_tools_result_is_answered_from(qwen, stream):
    call = ask(qwen).choices[0].message.tool_calls[0]
    messages = ASK + [
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": '{"temperature": -7, "sky": "snow"}'}]
    if stream:
        answer = Streamed(ask(qwen, messages, stream=True))
        assert answer.finish == "stop" and answer.calls == []
        content = answer.content
    else:
        answer = ask(qwen, messages).choices[0]
        assert answer.finish_reason == "stop" and answer.message.tool_calls is None
        content = answer.message.content
    assert "7" in content and "Oslo" in content


def test_tools_that_are_not_needed_are_not_called(qwen):
    answer = ask(qwen, [{"role": "user", "content": "Say hello."}], tool_choice="none").choices[0]
    assert answer.message.content and answer.message.tool_calls is None
    assert answer.finish_reason != "tool_calls"


def test_a_tool_without_parameters_gets_an_empty_object(qwen):
    for choice in ("required", {"type": "function", "function": {"name": "now"}}):
        answer = ask(qwen, [{"role": "user", "content": "What time is it?"}], tools=[TIME],
                     tool_choice=choice).choices[0]
        assert {c.function.name for c in answer.message.tool_calls} == {"now"}
        assert {c.function.arguments.strip() for c in answer.message.tool_calls} == {"{}"}


def test_a_call_that_does_not_fit_is_cut_by_the_length(qwen):
    answer = ask(qwen, tool_choice="required", max_tokens=1).choices[0]
    assert answer.finish_reason == "length"


def test_one_call_where_only_one_is_allowed(qwen):
    messages = [{"role": "user", "content": "What is the weather in Oslo and in Rome, in celsius?"}]
    answer = ask(qwen, messages, tool_choice="required", parallel_tool_calls=False).choices[0]
    assert len(answer.message.tool_calls) == 1


def test_the_deprecated_form(qwen):
    answer = ask(qwen, tools=openai.NOT_GIVEN, functions=[WEATHER["function"]],
                 function_call={"name": "get_weather"}).choices[0]
    check_arguments(answer.message.function_call.arguments)
    assert answer.message.function_call.name == "get_weather" and answer.message.tool_calls is None


def test_enforced_arguments_keep_their_schema(qwen):
    schema = {"type": "object", "properties": {
        "level": {"type": "integer", "minimum": 1, "maximum": 3}, "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2}},
        "required": ["level", "kind", "tags"], "additionalProperties": False}
    tool = {"type": "function", "function": {"name": "set", "parameters": schema}}
    for seed in range(3):
        answer = ask(qwen, tools=[tool], tool_choice="required", temperature=1.5, seed=seed,
                     max_tokens=200, parallel_tool_calls=False).choices[0]
        if answer.finish_reason == "length":
            continue
        arguments = json.loads(answer.message.tool_calls[0].function.arguments)
        assert arguments["level"] in (1, 2, 3) and arguments["kind"] in ("a", "b")
        assert len(arguments["tags"]) <= 2 and len(arguments) == 3


@pytest.mark.parametrize("fields, message", [
    ({"tools": []}, "must not be an empty array"),
    ({"tool_choice": "sometimes"}, "Invalid value for `tool_choice`"),
    ({"tool_choice": {"type": "function", "function": {"name": "other"}}}, "does not match any"),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "nonsense"}}}]},
     "tools[0].function.parameters.type"),
])
def test_problems_are_named(qwen, fields, message):
    with pytest.raises(openai.BadRequestError, match=".*") as error:
        ask(qwen, **fields)
    assert message in str(error.value)
