"""The Responses API by the official SDK: objects, the rules of its events, and what is kept."""
import collections
import json
import urllib.request

import openai
import pytest

JAPAN = "What is the capital of Japan?"


@pytest.fixture(scope="module")
def keeper():
    """A server that keeps responses."""
    import serving
    running = serving.Server("--response-store", "8").wait_ready()
    yield openai.OpenAI(base_url=running.url + "/v1", api_key="none", max_retries=0, timeout=120)
    running.stop()


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def test_answers(client, model):
    answer = client.responses.create(model=model, input=JAPAN, temperature=0, max_output_tokens=30)
    assert answer.status == "completed" and "Tokyo" in answer.output_text
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    chat = client.chat.completions.create(
        model=model, temperature=0, max_tokens=30, messages=[{"role": "user", "content": JAPAN}])
    assert chat.choices[0].message.content == answer.output_text


def test_a_length_makes_it_incomplete(client, model):
    answer = client.responses.create(model=model, input=JAPAN, temperature=0, max_output_tokens=2)
    assert answer.status == "incomplete"
    assert answer.incomplete_details.reason == "max_output_tokens"


def check_events(events):
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert [e.type for e in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type in ("response.completed", "response.incomplete")
    open_items, deltas = set(), collections.defaultdict(str)
    for event in events:
        if event.type == "response.output_item.added":
            open_items.add(event.item.id)
        elif event.type == "response.output_item.done":
            open_items.remove(event.item.id)
        elif event.type == "response.output_text.delta":
            deltas[event.item_id] += event.delta
        elif event.type == "response.output_text.done":
            assert event.text == deltas[event.item_id]
    assert not open_items
    final = events[-1].response
    assert "".join(deltas.values()) == final.output_text
    assert {item.id for item in final.output} >= set(deltas)


def test_streams(client, model):
    events = list(client.responses.create(model=model, input=JAPAN, temperature=0,
                                          max_output_tokens=30, stream=True))
    check_events(events)
    assert events[-1].type == "response.completed"


def test_structured_text_is_checked(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        client.responses.create(model=model, input="x", tool_choice="required")
    assert error.value.body["param"] == "tool_choice"


def test_structured_text(client, model):
    schema = {"type": "object", "properties": {"capital": {"type": "string", "maxLength": 20}},
              "required": ["capital"], "additionalProperties": False}
    answer = client.responses.create(model=model, input=JAPAN, temperature=0, max_output_tokens=60, text={
        "format": {"type": "json_schema", "name": "place", "schema": schema, "strict": True}})
    assert set(json.loads(answer.output_text)) == {"capital"}


@pytest.mark.parametrize("fields, words", [
    ({"seed": 2**63}, "seed"), ({"seed": -2**63 - 1}, "seed"), ({"temperature": 9}, "temperature"),
    ({"text": {"format": {"type": "json_object"}}, "structured_outputs": {"regex": "a"}}, "structured_outputs"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"), ({"prompt": {"id": "x"}}, "prompt"),
    ({"previous_response_id": "resp_none"}, "resp_none")])
def test_what_cannot_be_meant_is_refused(client, model, fields, words):
    with pytest.raises(openai.APIStatusError, match=words) as error:
        client.responses.create(model=model, input=JAPAN, extra_body=fields)
    assert error.value.status_code == (404 if "previous_response_id" in fields else 400)


def test_stops_and_seeds_are_those_of_chats(client, model):
    plain = client.responses.create(model=model, input=JAPAN, temperature=0, max_output_tokens=30)
    cut = client.responses.create(model=model, input=JAPAN, temperature=0, max_output_tokens=30,
                                  extra_body={"stop": "Tokyo"})
    assert cut.output_text == plain.output_text.split("Tokyo")[0]
    drawn = [client.responses.create(model=model, input=JAPAN, max_output_tokens=12,
                                     extra_body={"seed": 5}).output_text for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_conversations_are_not_compacted(client, model):
    with pytest.raises(openai.NotFoundError, match="compacted"):
        client.post("/responses/compact", body={"model": model, "input": JAPAN}, cast_to=object)


def test_without_a_store_nothing_is_kept(client, model):
    answer = client.responses.create(model=model, input="Hi", max_output_tokens=2)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError) as error:
        client.responses.create(model=model, input="Hi", background=True)
    assert error.value.body["param"] == "background"


def test_goes_on_from_an_earlier_response(keeper):
    first = keeper.responses.create(input="My name is Ada.", temperature=0, max_output_tokens=20)
    assert keeper.responses.retrieve(first.id) == first
    second = keeper.responses.create(input="Who am I?", previous_response_id=first.id,
                                     temperature=0, max_output_tokens=20)
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens
    assert second.previous_response_id == first.id
    assert [i.content[0].text for i in keeper.responses.input_items.list(second.id)] == ["Who am I?"]
    keeper.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        keeper.responses.retrieve(first.id)


def test_one_response_has_two_successors(keeper):
    parent = keeper.responses.create(input="Name a fruit.", temperature=0, max_output_tokens=8)
    ask = [{"input": text, "previous_response_id": parent.id, "temperature": 0, "max_output_tokens": 8}
           for text in ("And a colour.", "And a city.")]
    first, second = (keeper.responses.create(**fields) for fields in ask)
    assert first.previous_response_id == second.previous_response_id == parent.id
    assert keeper.responses.create(**ask[0]).output_text == first.output_text


def test_background_can_be_followed(keeper):
    queued = keeper.responses.create(input=JAPAN, background=True, temperature=0,
                                     max_output_tokens=30)
    assert queued.status in ("queued", "in_progress")
    events = list(keeper.responses.retrieve(queued.id, stream=True))
    check_events(events)
    rest = list(keeper.responses.retrieve(queued.id, stream=True, starting_after=4))
    assert [e.sequence_number for e in rest] == [e.sequence_number for e in events[5:]]
    assert "Tokyo" in keeper.responses.retrieve(queued.id).output_text
    with pytest.raises(openai.BadRequestError):
        keeper.responses.cancel(queued.id)


def test_background_can_be_cancelled(keeper):
    queued = keeper.responses.create(input="Tell a long story.", background=True, temperature=0,
                                     max_output_tokens=4000, extra_body={"ignore_eos": True})
    assert keeper.responses.cancel(queued.id).status == "cancelled"
    assert keeper.responses.retrieve(queued.id).status == "cancelled"


def test_docs_need_no_network(server):
    page = urllib.request.urlopen(server.url + "/docs").read().decode()
    assert "http" not in page.replace("http-equiv", "")
    document = json.load(urllib.request.urlopen(server.url + "/openapi.json"))
    assert document["openapi"].startswith("3.1")
    assert urllib.request.urlopen(server.url + "/docs/docs.js").status == 200
