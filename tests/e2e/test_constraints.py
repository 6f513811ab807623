"""Constrained output as an application asks for it: whatever the model would like to say, the answer
matches, streamed or not; what cannot be enforced is refused with its place."""
import json
import re

import openai
import pytest

from serving import post

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "city": {"enum": ["Tokyo", "Paris", "Rome"]},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}
ASK = [{"role": "user", "content": "Describe a person from Japan as JSON."}]


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def chat(client, model, **arguments):
    return client.chat.completions.create(model=model, messages=ASK, max_tokens=100, **arguments)


def schema_format(schema):
    return {"type": "json_schema", "json_schema": {"name": "it", "schema": schema, "strict": True}}


def check_person(text):
    person = json.loads(text)
    assert list(person) == ["name", "age", "city"]
    assert isinstance(person["age"], int) and 0 <= person["age"] <= 130
    assert person["city"] in PERSON["properties"]["city"]["enum"]


def test_json_schema_whole_and_streamed(client, model):
    whole = chat(client, model, temperature=0, response_format=schema_format(PERSON))
    assert whole.choices[0].finish_reason == "stop"
    check_person(whole.choices[0].message.content)
    chunks = list(chat(client, model, temperature=0, response_format=schema_format(PERSON), stream=True))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content


def test_schema_holds_for_every_choice_at_any_temperature(client, model):
    answer = chat(client, model, temperature=1.8, n=4, seed=3, logprobs=True,
                  response_format=schema_format(PERSON))
    for choice in answer.choices:
        if choice.finish_reason == "stop":
            check_person(choice.message.content)
        assert choice.logprobs.content
    again = chat(client, model, temperature=1.8, n=4, seed=3, response_format=schema_format(PERSON))
    assert [c.message.content for c in again.choices] == [c.message.content for c in answer.choices]


def test_json_object(client, model):
    answer = chat(client, model, temperature=0, response_format={"type": "json_object"})
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)
    assert answer.choices[0].message.content.startswith("{")


@pytest.mark.parametrize("constraint, pattern", [
    ({"structured_outputs": {"regex": "[A-Z][a-z]{2,5}-[0-9]{3}"}}, "[A-Z][a-z]{2,5}-[0-9]{3}"),
    ({"structured_outputs": {"choice": ["red", "green", "greenish"]}}, "red|green|greenish"),
    ({"structured_outputs": {"grammar": 'root ::= "<" [0-9]+ ("," [0-9]+)* ">"'}}, r"<\d+(,\d+)*>?"),
    ({"structured_outputs": {"grammar": 'start: "a" num\nnum: /[0-9]{2}/'}}, r"a\d\d"),
    ({"guided_choice": ["yes", "no"]}, "yes|no"),
    ({"guided_regex": "x{3}"}, "xxx"),
    ({"grammar": 'root ::= ("ab")+ "c"'}, "(ab)+c?"),
    ({"json_schema": {"type": "integer", "minimum": 5, "maximum": 7}}, "[567]"),
    ({"structured_outputs": {"json": '{"const": "x"}'}}, '"x"'),
])
def test_other_forms(server, model, constraint, pattern):
    for path, ask in (("/v1/chat/completions", {"messages": ASK}), ("/v1/completions", {"prompt": "Say"})):
        status, answer = post(server, path, {"model": model, "max_tokens": 24, "seed": 1, **ask, **constraint})
        assert status == 200, answer
        choice = answer["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        assert re.fullmatch(pattern, text), text


def test_structural_tag(client, model):
    tag = {"type": "structural_tag", "format": {
        "type": "tag", "begin": "<n>", "content": {"type": "json_schema", "json_schema": {"type": "integer"}},
        "end": "</n>"}}
    answer = chat(client, model, temperature=0, response_format=tag)
    assert re.match(r"<n>-?\d", answer.choices[0].message.content)


@pytest.mark.parametrize("body, words, param", [
    ({"response_format": schema_format({"properties": {"a": {"not": {"minimum": 1}}}})}, "#/properties/a/not", "response_format"),
    ({"response_format": schema_format({"type": "objekt"})}, "#/type", "response_format"),
    ({"response_format": {"type": "json_schema"}}, "'json_schema' field must be provided", "response_format"),
    ({"structured_outputs": {"json": {"items": {"uniqueItems": True}}}}, "#/items/uniqueItems", "structured_outputs"),
    ({"structured_outputs": {"regex": "("}}, "regex", "structured_outputs"),
    ({"structured_outputs": {"regex": "a", "choice": ["b"]}}, "only use one kind", "structured_outputs"),
    ({"structured_outputs": {}}, "none are specified", "structured_outputs"),
    ({"structured_outputs": {"choice": []}}, "cannot be an empty list", "structured_outputs"),
    ({"structured_outputs": {"json_object": False}}, "json_object", "structured_outputs"),
    ({"grammar": "root ::= nothing"}, "'nothing' is not defined", "grammar"),
    ({"json_schema": {"type": 5}}, "#/type", "json_schema"),
])
def test_what_cannot_be_enforced_is_refused_with_its_place(server, model, body, words, param):
    status, answer = post(server, "/v1/chat/completions", {"model": model, "messages": ASK, **body})
    assert status == 400, answer
    assert words in answer["error"]["message"] and answer["error"]["param"] == param


def test_unknown_response_format_is_a_schema_error(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        chat(client, model, response_format={"type": "yaml"})
    assert "json_schema" in error.value.body["message"]
