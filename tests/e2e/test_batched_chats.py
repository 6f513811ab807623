"""/v1/chat/completions/batch: each conversation is answered as if it were alone."""
import json

import pytest

from serving import post

CHATS = [[{"role": "user", "content": text}]
         for text in ("What is the capital of Japan?", "Name a fruit.", "What is 2+2?")]
FIELDS = {"temperature": 0, "max_tokens": 12}


def test_as_if_each_were_alone(server):
    status, batch = post(server, "/v1/chat/completions/batch", {**FIELDS, "messages": CHATS})
    assert status == 200, batch
    alone = [post(server, "/v1/chat/completions", {**FIELDS, "messages": chat})[1] for chat in CHATS]
    assert [choice["index"] for choice in batch["choices"]] == [0, 1, 2]
    assert [choice["message"] for choice in batch["choices"]] == [
        answer["choices"][0]["message"] for answer in alone]
    for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert batch["usage"][count] == sum(answer["usage"][count] for answer in alone)


def test_a_schema_holds_for_each(server):
    schema = {"type": "object", "properties": {"answer": {"type": "string", "maxLength": 8}},
              "required": ["answer"], "additionalProperties": False}
    status, batch = post(server, "/v1/chat/completions/batch", {
        "messages": CHATS, "temperature": 0, "max_tokens": 200, "response_format": {
            "type": "json_schema", "json_schema": {"name": "a", "schema": schema}}})
    assert status == 200, batch
    for choice in batch["choices"]:
        assert set(json.loads(choice["message"]["content"])) == {"answer"}


@pytest.mark.parametrize("fields", [{"stream": True}, {"n": 2}, {"use_beam_search": True},
                                    {"messages": []}, {"messages": CHATS[0]}])
def test_what_it_cannot_have(server, fields):
    status, answer = post(server, "/v1/chat/completions/batch",
                          {**FIELDS, "messages": CHATS, **fields})
    assert status == 400, answer
