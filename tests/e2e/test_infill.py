"""Text between a prefix and a suffix, by a model that was trained for it."""
import json
import urllib.request

import openai
import pytest

import serving

MODEL = "qwen2.5-coder-0.5b"
PREFIX = "def add(a, b):\n    return "
SUFFIX = "\n\nprint(add(1, 2))\n"


@pytest.fixture(scope="module")
def coder():
    if not any((serving.MODELS / MODEL).glob("*.gguf")):
        pytest.skip(f"{MODEL} has not been fetched (deploy/models.sh {MODEL})")
    running = serving.Server("--max-model-len", "4096", model=MODEL).wait_ready()
    yield running
    running.stop()


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
