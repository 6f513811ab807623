"""llama.cpp's native API, its samplers on the other routes, and log-probabilities of prompts."""
import json
import urllib.error
import urllib.request

import openai
import pytest

PROMPT = "The capital of France is"


def post(server, path, **body):
    request = urllib.request.Request(server.url + path, data=json.dumps(body).encode(),
                                     headers={"content-type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=60).read())


def refusal(server, path, **body):
    with pytest.raises(urllib.error.HTTPError) as error:
        post(server, path, **body)
    return error.value.code, json.loads(error.value.read())["error"]


def stream(server, path, **body):
    request = urllib.request.Request(server.url + path, data=json.dumps(body | {"stream": True}).encode())
    lines = urllib.request.urlopen(request, timeout=60).read().decode().split("\n\n")
    assert lines[-1] == ""
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_completion_has_the_shape_of_llama_server(server):
    answer = post(server, "/completion", prompt=PROMPT, n_predict=6, temperature=0)
    assert answer["content"].startswith(" Paris")
    assert answer["stop"] is True and answer["stop_type"] == "limit" and answer["stopping_word"] == ""
    assert answer["tokens_predicted"] == 6 and answer["tokens_evaluated"] == 5
    assert answer["tokens_cached"] == 10 and answer["truncated"] is False
    assert answer["prompt"] == PROMPT and answer["tokens"] == []
    assert answer["has_new_line"] == ("\n" in answer["content"])
    assert answer["generation_settings"]["n_predict"] == 6
    assert set(answer["timings"]) == {
        "cache_n", "prompt_n", "prompt_ms", "prompt_per_token_ms", "prompt_per_second", "predicted_n",
        "predicted_ms", "predicted_per_token_ms", "predicted_per_second"}
    # The first token, and the second one's alternatives, as llama-server told them.
    probs = post(server, "/completions", prompt=PROMPT, n_predict=1, temperature=0, n_probs=2,
                 return_tokens=True, response_fields=["completion_probabilities", "tokens"])
    assert set(probs) == {"completion_probabilities", "tokens"} and probs["tokens"] == [7042]
    entry = probs["completion_probabilities"][0]
    assert entry["id"] == 7042 and entry["token"] == " Paris"
    assert abs(entry["logprob"] + 0.248) < 0.1
    assert [top["id"] for top in entry["top_logprobs"]] == [7042, 260]


def test_stream_is_the_whole_in_pieces(server):
    body = dict(prompt=PROMPT, n_predict=8, temperature=0.8, seed=3, n_probs=1)
    whole = post(server, "/completion", **body)
    pieces = stream(server, "/completion", **body)
    assert "".join(piece["content"] for piece in pieces) == whole["content"]
    assert [piece["stop"] for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert pieces[-1]["stop_type"] == "limit" and "timings" in pieces[-1]
    assert sum(len(piece["tokens"]) for piece in pieces) == 8
    assert all(piece["completion_probabilities"] for piece in pieces[:-1])


def test_post_sampling_probabilities_are_those_drawn_with(server):
    answer = post(server, "/completion", prompt=PROMPT, n_predict=4, n_probs=50, seed=1,
                  post_sampling_probs=True, top_k=3)
    for entry in answer["completion_probabilities"]:
        assert 1 <= len(entry["top_probs"]) <= 3
        assert abs(sum(top["prob"] for top in entry["top_probs"]) - 1) < 1e-3
        assert entry["prob"] in [top["prob"] for top in entry["top_probs"]]


def test_lists_of_prompts_and_choices(server):
    two = post(server, "/completion", prompt=[PROMPT, [504, 3575, 282]], n_predict=2, temperature=0)
    assert [answer["index"] for answer in two] == [0, 1] and two[0]["content"].startswith(" Paris")
    choices = post(server, "/completion", prompt=PROMPT, n=2, n_predict=6, temperature=1.5, seed=1)
    assert [answer["index"] for answer in choices] == [0, 1]
    assert choices[0]["content"] != choices[1]["content"]


def test_stop_words_and_refusals(server):
    answer = post(server, "/completion", prompt=PROMPT, n_predict=20, temperature=0, stop=["\n"])
    assert answer["stop_type"] == "word" and answer["stopping_word"] == "\n"
    assert "\n" not in answer["content"]
    code, error = refusal(server, "/completion", prompt="a", n_predict=-2)
    assert code == 400 and error["type"] == "invalid_request_error"
    assert error["message"] == (
        "Field 'n_predict': Value must be between -1 <= value <= 2147483647, but got -2")
    code, error = refusal(server, "/completion", prompt="hello " * 10000, n_predict=1)
    assert code == 400 and error["type"] == "exceed_context_size_error"
    assert error["n_prompt_tokens"] > error["n_ctx"]


SAMPLERS = {
    "typical": {"typical_p": 0.8},
    "dynamic temperature": {"dynatemp_range": 0.5, "dynatemp_exponent": 1.5},
    "dry": {"dry_multiplier": 0.8, "dry_allowed_length": 1},
    "xtc": {"xtc_probability": 0.5, "xtc_threshold": 0.05},
    "top_n_sigma": {"top_n_sigma": 1.0},
    "repeat": {"repeat_penalty": 1.3, "repeat_last_n": 32},
    "mirostat 1": {"mirostat": 1},
    "mirostat 2": {"mirostat": 2, "mirostat_tau": 3.0},
    "order": {"samplers": ["temperature", "top_k"], "temperature": 1.3},
    "infill": {"samplers": "kpit", "top_k": 20},
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_repeat_by_seed_on_every_route(server, name):
    body = SAMPLERS[name] | {"prompt": PROMPT, "seed": 11, "max_tokens": 16}
    for path, text in (("/completion", lambda a: a["content"]),
                       ("/v1/completions", lambda a: a["choices"][0]["text"])):
        first = text(post(server, path, **body))
        assert first == text(post(server, path, **body))
    several = post(server, "/v1/completions", **(body | {"n": 3, "temperature": 1.0}))["choices"]
    again = post(server, "/v1/completions", **(body | {"n": 3, "temperature": 1.0}))["choices"]
    assert [c["text"] for c in several] == [c["text"] for c in again]


def test_bans_and_biases(server):
    free = post(server, "/v1/completions", prompt=PROMPT, max_tokens=1, temperature=0)
    assert free["choices"][0]["text"] == " Paris"
    for ban in ({"logit_bias": [[7042, False]]}, {"bad_words": ["Paris"]},
                {"logit_bias": [[" Paris", -50]]}):
        other = post(server, "/v1/completions", prompt=PROMPT, max_tokens=1, temperature=0, **ban)
        assert other["choices"][0]["text"] != " Paris", ban
    only = post(server, "/v1/completions", prompt=PROMPT, max_tokens=3, temperature=1.0,
                allowed_token_ids=[28, 30], return_token_ids=True)
    assert set(only["choices"][0]["token_ids"]) <= {28, 30}


def test_prompt_logprobs_and_echo(server):
    body = dict(prompt=PROMPT, max_tokens=2, temperature=0)
    for _ in range(2):  # the second time the prompt is in the cache, and is scored all the same
        choice = post(server, "/v1/completions", prompt_logprobs=2, return_token_ids=True,
                      **body)["choices"][0]
        ids, scores = choice["prompt_token_ids"], choice["prompt_logprobs"]
        assert len(scores) == len(ids) == 5 and scores[0] is None
        for token, score in zip(ids[1:], scores[1:]):
            entry = score[str(token)]
            assert entry["logprob"] < 0 and entry["rank"] >= 1
            assert 2 <= len(score) <= 3
    echo = post(server, "/v1/completions", echo=True, logprobs=1, **body)["choices"][0]
    assert echo["text"].startswith(PROMPT)
    logprobs = echo["logprobs"]
    assert len(logprobs["tokens"]) == 7 and logprobs["token_logprobs"][0] is None
    assert "".join(logprobs["tokens"]) == echo["text"]
    for i, score in enumerate(scores[1:], 1):
        assert logprobs["token_logprobs"][i] == pytest.approx(score[str(ids[i])]["logprob"], abs=1e-4)
    alone = post(server, "/v1/completions", prompt=PROMPT, echo=True, logprobs=0, max_tokens=0)
    assert alone["choices"][0]["text"] == PROMPT
    assert len(alone["choices"][0]["logprobs"]["tokens"]) == 5
    chat = post(server, "/v1/chat/completions", messages=[{"role": "user", "content": "Hi"}],
                max_tokens=1, prompt_logprobs=0)
    assert chat["prompt_logprobs"][0] is None and len(chat["prompt_logprobs"]) == chat["usage"]["prompt_tokens"]


def test_props_tell_the_defaults(server):
    props = json.loads(urllib.request.urlopen(server.url + "/props", timeout=10).read())
    assert props["default_generation_settings"]["params"]["top_k"] == 40
    assert props["default_generation_settings"]["n_ctx"] > 0
    assert "<|im_start|>" in props["chat_template"]


def test_the_llamacpp_preset(start):
    running = start("--api-preset", "llamacpp").wait_ready()
    answer = post(running, "/v1/completions", model="whatever", prompt=PROMPT, max_tokens=4, seed=7)
    native = post(running, "/completion", prompt=PROMPT, n_predict=4, seed=7)
    assert answer["choices"][0]["text"] == native["content"]


def test_clients_that_know_no_v1(server):
    """llama-server has these names too: an SDK may be given its address without a path."""
    client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)
    named = client.models.list().data[0].id
    said = client.chat.completions.create(
        model=named, messages=[{"role": "user", "content": "What is the capital of Japan?"}],
        temperature=0, max_tokens=16)
    assert "Tokyo" in said.choices[0].message.content
    response = client.responses.create(model=named, input="What is the capital of Japan?", temperature=0,
                                       max_output_tokens=16)
    assert "Tokyo" in response.output_text


def test_there_are_no_slots(server):
    for method, path in (("GET", "/slots"), ("POST", "/slots/0?action=erase")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(server.url + path, method=method, data=None), timeout=10)
        assert refused.value.code == 501
        assert json.load(refused.value)["error"]["type"] == "not_supported_error"
