"""LangChain's chat model and completion model against a served model that calls tools.

    BATON_URL=http://host:port BATON_MODEL=name python -m pytest --noconftest langchain_suite.py
"""
import asyncio
import json
import os

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel, Field

BASE = {"base_url": os.environ["BATON_URL"] + "/v1", "api_key": "none",
        "model": os.environ["BATON_MODEL"], "temperature": 0, "max_retries": 0, "timeout": 120}
JAPAN = "What is the capital of Japan?"
LOOP = asyncio.new_event_loop()  # one for all: LangChain keeps its connections between clients


@tool
def get_weather(city: str) -> str:
    """Get the current weather of a city."""
    return json.dumps({"city": city, "temperature": 12, "sky": "rain"})


@pytest.fixture(params=["chat", "responses"])
def chat(request):
    return ChatOpenAI(**BASE, max_tokens=80, use_responses_api=request.param == "responses")


def joined(chunks):
    whole = AIMessageChunk(content="")
    for chunk in chunks:
        whole += chunk
    return whole


def test_invoke_and_stream(chat):
    whole = chat.invoke(JAPAN)
    assert "Tokyo" in whole.text
    usage = whole.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert joined(chat.stream(JAPAN)).text == whole.text


def test_asynchronous_and_batch(chat):
    async def ask():
        return joined([chunk async for chunk in chat.astream(JAPAN)]).text
    one = LOOP.run_until_complete(ask())
    assert [answer.text for answer in chat.batch([JAPAN, JAPAN])] == [one, one]


def test_stop_and_logprobs():
    chat = ChatOpenAI(**BASE, max_tokens=30, logprobs=True, top_logprobs=2)
    answer = chat.invoke(JAPAN, stop=["Tokyo"])
    assert "Tokyo" not in answer.text
    assert len(answer.response_metadata["logprobs"]["content"][0]["top_logprobs"]) == 2


def test_bind_tools(chat):
    bound = chat.bind_tools([get_weather])
    question = HumanMessage("What is the weather in Oslo?")
    answer = bound.invoke([question])
    (call,) = answer.tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": "Oslo"}
    streamed = joined(bound.stream([question]))
    assert [c["args"] for c in streamed.tool_calls] == [{"city": "Oslo"}]
    result = ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
    told = bound.invoke([question, answer, result]).text
    assert "12" in told or "rain" in told


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_a_tool_that_must_be_called(choice):
    bound = ChatOpenAI(**BASE, max_tokens=80).bind_tools([get_weather], tool_choice=choice)
    (call,) = bound.invoke("What is the weather in Oslo?").tool_calls
    assert call["name"] == "get_weather" and call["args"] == {"city": "Oslo"}


class Person(BaseModel):
    """A person."""

    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=130)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(chat, method):
    structured = chat.with_structured_output(Person, method=method)
    person = structured.invoke("Ada Lovelace is 36 years old. Who is she?")
    assert isinstance(person, Person) and "Ada" in person.name and person.age == 36


def test_completions():
    llm = OpenAI(**BASE, max_tokens=12)
    whole = llm.invoke("1, 2, 3, 4,")
    assert "5, 6" in whole
    assert "".join(llm.stream("1, 2, 3, 4,")) == whole


def test_errors_reach_the_caller():
    with pytest.raises(Exception, match="gpt-nope"):
        ChatOpenAI(**{**BASE, "model": "gpt-nope"}).invoke(JAPAN)
