"""Text between a prefix and a suffix, by a model that was trained for it."""
import json
import urllib.request

import openai
import pytest

import serving

MODEL = serving.CODER
PREFIX = "def add(a, b):\n    return "
SUFFIX = "\n\nprint(add(1, 2))\n"


@pytest.fixture(scope="module")
def coder_client(coder):
    return openai.OpenAI(base_url=coder.url + "/v1", api_key="none", max_retries=0, timeout=120)


def ask(server, path, body):
    request = urllib.request.Request(server.url + path, data=json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def test_a_suffix_is_filled_up_to(coder_client):
    fields = {"model": MODEL, "prompt": PREFIX, "suffix": SUFFIX, "temperature": 0, "max_tokens": 16}
    answer = coder_client.completions.create(**fields)
    assert answer.choices[0].text.startswith("a + b")
    assert answer.choices[0].stop_reason is None  # no mark of the family is named
    streamed = "".join(chunk.choices[0].text
                       for chunk in coder_client.completions.create(**fields, stream=True))
    assert streamed == answer.choices[0].text
    echoed = coder_client.completions.create(**fields, echo=True)
    assert echoed.choices[0].text == PREFIX + answer.choices[0].text


def test_the_prompt_has_the_marks_of_the_family(coder, coder_client):
    answer = coder_client.completions.create(model=MODEL, prompt="a<|fim_suffix|>", suffix="b", max_tokens=1,
                                             extra_body={"return_token_ids": True})
    ids = answer.choices[0].prompt_token_ids
    marks = ask(coder, "/tokenize", {"prompt": "<|fim_prefix|><|fim_suffix|><|fim_middle|>"})["tokens"]
    assert [i for i in ids if i in marks] == [marks[0], marks[1], marks[2]]


def test_infill_as_llama_cpp_has_it(coder):
    body = {"input_prefix": PREFIX, "input_suffix": SUFFIX, "n_predict": 8, "temperature": 0}
    answer = ask(coder, "/infill", body)
    assert answer["content"].startswith("a + b") and answer["stop"] is True
    more = ask(coder, "/infill", {**body, "prompt": "a +", "input_extra": [{"filename": "x.py", "text": "y = 1"}]})
    assert more["content"].strip().startswith("b")


def test_the_sampler_infill_stops_at_an_end_that_is_likely(coder):
    body = {"input_prefix": PREFIX, "input_suffix": SUFFIX, "n_predict": 64, "seed": 1,
            "samplers": ["top_k", "top_p", "infill"]}
    answer = ask(coder, "/infill", body)
    assert answer["generation_settings"]["samplers"] == ["top_k", "top_p", "infill"]
    assert answer["content"].startswith("a + b") and answer["stop_type"] == "eos"


@pytest.mark.parametrize("change", [
    {"input_prefix": None}, {"input_suffix": 3}, {"prompt": ["a"]}, {"input_extra": "x"},
    {"input_extra": [{"filename": "a"}]}, {"input_extra": [{"filename": 3, "text": "a"}]},
    {"temperature": "hot"}])
def test_an_infill_that_makes_no_sense(coder, change):
    body = {"input_prefix": PREFIX, "input_suffix": SUFFIX, "n_predict": 8, **change}
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(coder, "/infill", body)
    error = json.load(refused.value)["error"]
    assert refused.value.code == error["code"] == 400
    assert error["type"] == "invalid_request_error" and list(change)[0] in error["message"]


def test_an_infill_names_project_and_files_as_llama_cpp_does(coder):
    body = {"input_prefix": "P", "input_suffix": "S", "n_predict": 1, "temperature": 0}
    end = "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"
    assert ask(coder, "/infill", body)["prompt"] == "<|repo_name|>myproject\n<|file_sep|>filename\n" + end
    extra = [{"text": "y = 1"}, {"filename": "b", "text": "z\n"}]
    assert ask(coder, "/infill", {**body, "input_extra": extra})["prompt"] == (
        "<|repo_name|>myproject\n<|file_sep|>tmp\ny = 1<|file_sep|>b\nz\n<|file_sep|>filename\n" + end)


def test_models_without_marks_cannot_fill_in(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, "/infill", {"input_prefix": "a", "input_suffix": "b"})
    assert refused.value.code == 501
    assert json.load(refused.value)["error"]["type"] == "not_supported_error"
