"""The requests of the differential suite: what is asked of a reference server and of Baton.

Every case has a name, and stands for itself: no case depends on another. The answers of the
references lie in vllm.jsonl and llama.jsonl, made by record.py.
"""
import dataclasses
import json

import cases_derender

MODEL = "smollm2"
GREETING = [{"role": "user", "content": "Hi"}]
JAPAN = [{"role": "user", "content": "What is the capital of Japan?"}]


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    server: str  # "vllm" or "llama"
    method: str
    path: str
    body: object = None  # JSON, or bytes to be sent as they are
    headers: tuple = ()

    def data(self):
        if self.body is None:
            return None
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def _without_absent(body):
    return {name: value for name, value in body.items() if value is not ABSENT}


ABSENT = object()
CASES = []


def _add(name, method, path, body=None, headers=(), server="vllm"):
    CASES.append(Case(name, server, method, path, body, tuple(headers)))


def chat(name, **fields):
    body = {"model": MODEL, "messages": GREETING, "max_tokens": 3, "temperature": 0, **fields}
    _add("chat " + name, "POST", "/v1/chat/completions", _without_absent(body))


def completion(name, **fields):
    body = {"model": MODEL, "prompt": "Hello", "max_tokens": 3, "temperature": 0, **fields}
    _add("completion " + name, "POST", "/v1/completions", _without_absent(body))


def both(name, **fields):
    chat(name, **fields)
    completion(name, **fields)


def _plumbing():
    for path in ("/health", "/version", "/v1/models", "/nothing", "/v1/nothing", "/ping", "/load"):
        _add("GET " + path, "GET", path)
    _add("GET completions", "GET", "/v1/completions")
    _add("POST models", "POST", "/v1/models", {})
    for method, path in (("GET", "/health/"), ("GET", "/v1/models/"), ("POST", "/v1/completions/"),
                         ("GET", "/health//"), ("PUT", "/v1/completions"), ("HEAD", "/health"),
                         ("OPTIONS", "/v1/completions")):
        _add(f"{method} {path}", method, path)
    _add("FOO health", "FOO", "/health")
    _add("FOO nothing", "FOO", "/nothing")
    for name, path, body in [
        ("cut JSON", "/v1/completions", b'{"a":'),
        ("trailing comma", "/v1/chat/completions", b'{"model": "x", }'),
        ("no body", "/v1/completions", b""),
        ("a list", "/v1/completions", b"[1]"),
        ("a text", "/v1/chat/completions", b'"x"'),
        ("null", "/v1/chat/completions", b"null"),
        ("a number", "/v1/chat/completions", b"5"),
        ("byte order mark", "/v1/completions",
         b'\xef\xbb\xbf{"model":"smollm2","prompt":"Hello","max_tokens":2,"temperature":0}'),
        ("two documents", "/v1/completions", b'{"prompt":"a"}{"prompt":"b"}'),
        ("a comment", "/v1/completions", b'{"prompt":"a"/*x*/}'),
        ("a tab in a text", "/v1/completions", b'{"prompt":"a\tb"}'),
        ("half a surrogate pair", "/v1/completions", b'{"model":"smollm2","prompt":"a\\ud800","max_tokens":1}'),
        ("a surrogate pair", "/v1/completions",
         b'{"model":"smollm2","prompt":"a\\ud83d\\ude00","max_tokens":1,"temperature":0}'),
        ("not a number", "/v1/completions", b'{"prompt":"a","temperature":NaN}'),
        ("more than all reals", "/v1/completions", b'{"prompt":"a","temperature":1e400}'),
        ("400 digits", "/v1/completions", b'{"prompt":"a","max_tokens":' + b"9" * 400 + b"}"),
        ("an exponent", "/v1/completions",
         b'{"model":"smollm2","prompt":"Hello","max_tokens":2e0,"temperature":0}'),
        ("very deep", "/v1/completions", b"[" * 100000),
        ("no UTF-8", "/v1/completions", b'{"model":"smollm2","prompt":"\xff","max_tokens":1}'),
        ("equal names", "/v1/completions",
         b'{"model":"smollm2","prompt":"a","prompt":"Hello","max_tokens":2,"temperature":0}'),
    ]:
        _add("body: " + name, "POST", path, body)
    _add("content-type text", "POST", "/v1/completions", {"prompt": "x"}, [("content-type", "text/plain")])
    _add("content-type charset", "POST", "/v1/completions",
         {"model": MODEL, "prompt": "Hello", "max_tokens": 2, "temperature": 0},
         [("content-type", "application/json; charset=utf-8")])
    for path, body in [("/v1/chat/completions", {"messages": GREETING}), ("/v1/completions", {"prompt": "Hello"})]:
        _add("request id of " + path, "POST", path,
             {"model": MODEL, "max_tokens": 1, "temperature": 0, **body}, [("x-request-id", "mine-1")])
        _add("request id in the body of " + path, "POST", path,
             {"model": MODEL, "max_tokens": 1, "temperature": 0, "request_id": "mine-2", **body})


def _answers():
    both("plain")
    both("stream", stream=True)
    both("five tokens", max_tokens=5)
    chat("logprobs", logprobs=True, top_logprobs=2)
    chat("logprobs without top", logprobs=True)
    chat("logprobs of none", logprobs=True, top_logprobs=0)
    chat("logprobs of null", logprobs=True, top_logprobs=None)
    chat("named logprobs without top", logprobs=True, logprob_token_ids=[28, 34])
    completion("logprobs", logprobs=2)
    completion("logprobs 0", logprobs=0)
    chat("stream of logprobs", stream=True, logprobs=True, top_logprobs=1)
    completion("stream of logprobs", stream=True, logprobs=1)
    both("usage at the end", stream=True, stream_options={"include_usage": True})
    both("usage in every chunk", stream=True,
         stream_options={"include_usage": True, "continuous_usage_stats": True})
    both("continuous usage alone", stream=True, stream_options={"continuous_usage_stats": True})
    both("empty stream options", stream=True, stream_options={})
    chat("stream of two", stream=True, n=2, temperature=1.0, seed=1)
    chat("two", n=2, temperature=1.0, seed=1)
    completion("stream of two by two", stream=True, n=2, prompt=["Hello", "World"], temperature=1.0, seed=1)
    completion("two by two", n=2, prompt=["Hello", "World"], temperature=1.0, seed=1)
    completion("two prompts", prompt=["Hello", "The sky is"])
    both("two, greedy", n=2)
    both("token ids", return_token_ids=True)
    both("stream of token ids", return_token_ids=True, stream=True)
    chat("tokens as ids", return_tokens_as_token_ids=True, logprobs=True, top_logprobs=1)
    completion("tokens as ids", return_tokens_as_token_ids=True, logprobs=1)
    chat("prompt text", return_prompt_text=True)
    chat("end of the model", max_tokens=60, messages=JAPAN)
    chat("stream to the end of the model", max_tokens=60, stream=True, messages=JAPAN)
    chat("both lengths", max_tokens=3, max_completion_tokens=2)
    chat("no length", max_tokens=ABSENT, messages=JAPAN)
    completion("no length", max_tokens=ABSENT)
    completion("null length", max_tokens=None)
    both("ignore the end", ignore_eos=True, max_tokens=6)
    both("min tokens", min_tokens=2)
    completion("cut prompt", truncate_prompt_tokens=2, prompt=[1, 2, 3, 4], return_token_ids=True)
    completion("cut prompt at its end", truncate_prompt_tokens=2, truncation_side="right",
               prompt=[1, 2, 3, 4], return_token_ids=True)


NUMBERS = {"prompt": "1, 2, 3, 4, 5,", "max_tokens": 24}
TOKYO = {"messages": JAPAN, "max_tokens": 30}
EVERY_CHUNK = {"include_usage": True, "continuous_usage_stats": True}
SMILES = "\U0001f600" * 10


def _combinations():
    completion("stop and logprobs", stop=["8"], logprobs=1, **NUMBERS)
    completion("stream of logprobs to a stop", stop=["8"], logprobs=1, stream=True, **NUMBERS)
    completion("stop over two tokens", stop=["7, 8"], return_token_ids=True, **NUMBERS)
    completion("stream to a stop over two tokens", stop=["7, 8"], return_token_ids=True, stream=True,
               **NUMBERS)
    chat("stop at the first token", stop=["The"], **TOKYO)
    chat("stream to a stop at the first token", stop=["The"], stream=True, stream_options=EVERY_CHUNK,
         **TOKYO)
    chat("stop of two that meet", stop=["apan is", "an"], **TOKYO)
    completion("min tokens before a stop string", min_tokens=12, stop=["8"], **NUMBERS)
    completion("min tokens before a stop token", min_tokens=12, stop_token_ids=[28], **NUMBERS)
    chat("min tokens before the end", min_tokens=14, **TOKYO)
    chat("the end as a stop token", stop_token_ids=[2], **TOKYO)
    chat("the end as a stop token, ignored as the end", stop_token_ids=[2], ignore_eos=True, **TOKYO)
    chat("special tokens shown", skip_special_tokens=False, **TOKYO)
    chat("the end shown", skip_special_tokens=False, include_stop_str_in_output=True, **TOKYO)
    chat("stream to the end with logprobs", logprobs=True, top_logprobs=0, stream=True, **TOKYO)
    completion("allowed tokens but for bad words", allowed_token_ids=[28, 253, 34, 42],
               bad_words=[" ,"], prompt=NUMBERS["prompt"])
    completion("bias against two", logit_bias={"216": -100, "28": -100}, prompt=NUMBERS["prompt"])
    completion("stream of two by two with usage", stream=True, stream_options=EVERY_CHUNK, n=2,
               prompt=["Hello", "The sky is"], temperature=1.0, seed=1)
    chat("stream of two with usage", stream=True, stream_options=EVERY_CHUNK, n=2, temperature=1.0,
         seed=1)
    completion("echo of two by two", echo=True, n=2, prompt=[[504, 6376, 314], [504]], logprobs=1,
               temperature=1.0, seed=1)
    completion("echo of a cut prompt", echo=True, prompt="The sky is blue and the grass is",
               truncate_prompt_tokens=3)
    completion("echo and logprobs of a cut prompt", echo=True, prompt=[504, 6376, 314, 1, 2],
               truncate_prompt_tokens=3, logprobs=1)
    completion("echo of a prompt with the stop in it", echo=True, stop=["3"],
               prompt=NUMBERS["prompt"])
    completion("echo of special tokens", echo=True, prompt="<|im_start|>user\nHi<|im_end|>\n")
    completion("only an echo of two", echo=True, max_tokens=0, prompt=["The sky is", "Hello"])
    completion("only an echo with named tokens", echo=True, max_tokens=0, logprobs=1,
               logprob_token_ids=[28])
    completion("characters of three tokens", prompt=SMILES, max_tokens=6, logprobs=1)
    completion("stream of characters of three tokens", prompt=SMILES, max_tokens=6, logprobs=1,
               stream=True)
    completion("two thirds of a character", prompt=SMILES, max_tokens=2, stream=True)
    completion("prompt logprobs of two", prompt_logprobs=1, prompt=["Hello there", "The sky"])
    both("prompt logprobs of ids", prompt_logprobs=1, return_tokens_as_token_ids=True)
    completion("named tokens", logprobs=1, logprob_token_ids=[28, 34])
    completion("stream of named tokens", logprobs=1, logprob_token_ids=[28, 34], stream=True)
    both("stream of token ids of two", return_token_ids=True, n=2, temperature=1.0, seed=1, stream=True)
    chat("stream with the prompt's text", return_prompt_text=True, return_token_ids=True, stream=True)
    chat("goes on with a user", add_generation_prompt=False, continue_final_message=True)
    chat("role of the last message", add_generation_prompt=False, stream=True,
         messages=[*JAPAN, {"role": "weird", "content": "The"}])
    chat("both lengths, one too long", max_completion_tokens=2, max_tokens=8193)
    completion("cut prompt as long as the model", truncate_prompt_tokens=8192)
    for name, fields in {"": {}, ", stream": {"stream": True}, ", min tokens": {"min_tokens": 5},
                         ", at the last token": {"max_tokens": 3}}.items():
        both("repetition" + name, **{"allowed_token_ids": [28], "max_tokens": 10,
                                     "repetition_detection": {"max_pattern_size": 2, "min_count": 3},
                                     **fields})
    chat("two constraints", response_format={"type": "json_object"},
         structured_outputs={"choice": ["a", "b"]})


def _stops():
    chat("stop strings", stop=["apan", "xx"], max_tokens=20, messages=JAPAN)
    chat("stop string shown", stop="apan", include_stop_str_in_output=True, max_tokens=20, messages=JAPAN)
    chat("stream to a stop string", stop=["apan"], max_tokens=20, messages=JAPAN, stream=True)
    completion("stop string", prompt="1, 2, 3, 4, 5,", stop=["8"], max_tokens=24)
    completion("stream to a stop string shown", prompt="1, 2, 3, 4, 5,", stop=["8"], max_tokens=24,
               stream=True, include_stop_str_in_output=True)
    completion("stop token", prompt="1, 2, 3, 4, 5,", stop_token_ids=[28], max_tokens=24)
    completion("stop token shown", prompt="1, 2, 3, 4, 5,", stop_token_ids=[28], max_tokens=24,
               include_stop_str_in_output=True)
    completion("empty list of stops", stop=[])


def _echo():
    completion("echo", echo=True)
    completion("echo of ids", echo=True, prompt=[504, 6376, 314])
    completion("only an echo", echo=True, max_tokens=0)
    completion("echo and logprobs", echo=True, logprobs=1)
    completion("only an echo, logprobs", echo=True, max_tokens=0, logprobs=1)
    completion("stream of an echo", echo=True, stream=True)
    completion("stream of an echo and logprobs", echo=True, stream=True, logprobs=1)
    completion("stream of only an echo", echo=True, stream=True, max_tokens=0)
    chat("echo", echo=True)
    chat("goes on with the last message", add_generation_prompt=False, continue_final_message=True,
         messages=[*JAPAN, {"role": "assistant", "content": "The capital of"}])
    chat("goes on with the last message, echo", echo=True, add_generation_prompt=False,
         continue_final_message=True, messages=[*JAPAN, {"role": "assistant", "content": "The capital of"}])
    chat("no generation prompt", add_generation_prompt=False)
    both("prompt logprobs", prompt_logprobs=1)
    completion("prompt logprobs 0", prompt_logprobs=0)


# One field with a value that stands for itself, on both endpoints.
_FIELDS = {
    "temperature": [-1, 3, "x", 2],
    "top_p": [0, 1.5, -1, 1],
    "top_k": [-2, 0, -1, 1.5, "a", 1],
    "min_p": [-1, 2, 1],
    "repetition_penalty": [0, -1, 5000],
    "presence_penalty": [3, 2],
    "frequency_penalty": [-3, 2],
    "n": [0, -1, 20000, "x", 1.5, None, "1"],
    "max_tokens": [0, -1, 100000, "x", 2.5, 10**30],
    "min_tokens": [-1, 5, None],
    "seed": [2**63, -2**63 - 1, 1.5, "x", -1, "1.0", True, -2**63],
    "stop": ["", [""], ["a", "b", "c", "d", "e"], 5, [1], ["a", ""], ["a", None], [["a"]], {"a": 1}],
    "stop_token_ids": ["x", [-1], [999999], [1.5], ["28"], [2**40]],
    "logit_bias": [{"x": 1}, {"999999": 1}, {"5": "x"}, {"a": 1, "b": 2}, [1], {"5": 500},
                   {" 05": 1}, {"5.0": 1}, {"": 1}, {"9" * 30: 1}, {"5": None}, {"5": True},
                   {"x": 1, "999999": 1}],
    "stream_options": [{"include_usage": None}, {"include_usage": False}, {}, 5],
    "stream": ["x"],
    "ignore_eos": ["x"],
    "logprobs": [21, -1, "x", True, 1.5],
    "prompt_logprobs": [-1, 21, -2, "1", 1.5],
    "model": ["nope", "", None, 5],
    "truncate_prompt_tokens": [-2, 100000, 0],
    "cache_salt": ["", "salt", 5],
    "session_id": ["s", 5],
    "priority": [0, "x", 2**40],
    "bad_words": [[""], ["  "], [1], "x"],
    "allowed_token_ids": [[], [999999], [-1], ["28"], 28],
    "echo": ["x"],
    "user": ["somebody", 5],
    "logprob_token_ids": [[1]],
    "add_special_tokens": [True],
    "skip_special_tokens": [False],
    "spaces_between_special_tokens": [False],
    "best_of": [2],
    "extra_body": [{"max_tokens": 1}],
    "response_format": [{"type": "text"}, {"type": "nope"}, 5, {"type": "json_schema"},
                        {"type": "json_schema", "json_schema": {"name": "a"}},
                        {"type": "json_schema", "json_schema": {"schema": {"type": "string"}}},
                        {"type": "json_schema", "json_schema": {"name": "a", "schema": True}}],
    "structured_outputs": [{}, {"choice": []}, {"regex": ""}, {"regex": "("}, {"choice": ["a", ""]},
                           {"json": "{bad"}, {"json_object": False}],
    "thinking_token_budget": [5],
    "repetition_detection": [None, {}, {"max_pattern_size": 2, "min_pattern_size": 3, "min_count": 2},
                             {"max_pattern_size": 2, "min_count": 1}, {"max_pattern_size": "x"},
                             {"min_pattern_size": -1}, 5],
    "made_up": [1],
    "stream_interval": [0],
    "length_penalty": [0.5],
    "vllm_xargs": [{"a": {}}],
}

_CHAT_FIELDS = {
    "max_completion_tokens": [0],
    "top_logprobs": [5, -1, "x"],
    "tools": [[]],
    "tool_choice": ["required", "x", "auto", "none"],
    "reasoning_effort": ["x", "high"],
    "continue_final_message": [True],
    "chat_template": ["x"],
    "chat_template_kwargs": [{"a": 1}, 5, {"chat_template": "x"}],
    "documents": [[{"text": "x"}], 5],
    "metadata": [{"a": "b"}],
    "service_tier": ["auto"],
    "store": [False],
    "prediction": [{"type": "content", "content": "x"}],
    "parallel_tool_calls": [True],
    "modalities": [["text"]],
    "prompt_cache_key": ["k"],
    "safety_identifier": ["k"],
    "verbosity": ["low"],
}

_PROMPTS = [None, "", [], [""], [[]], [-1], [999999], ["a", 1], [[1], "a"], 5, {"a": 1}, [[1], [2]],
            [1, 2, 3], ["Hello"], [[504, 6376, 314]], ["Hello", ""], [[504], []], [1.0], [1.5], " ",
            "a\u0000b", "e\u0301\u200d\ufeff"]



def _call(arguments):
    return {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}


_MESSAGES = [
    None, "x", [], {}, [5], ["x"], [{"role": "user"}], [{"content": "x"}], [{"role": 5, "content": "x"}],
    [{"role": "user", "content": 5}], [{"role": "user", "content": [{"type": "nope"}]}],
    [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
    [{"role": "user", "content": ["plain"]}], [{"role": "weird", "content": "x"}],
    [{"role": "user", "content": None}],
    [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    [{"role": "system", "content": "You are terse."}, *JAPAN],
    [{"role": "developer", "content": "You are terse."}, *JAPAN],
    [{"role": "user", "content": "Hi", "name": "Bob", "extra": {"a": [1]}}],
    [*JAPAN, {"role": "assistant", "content": "Tokyo."}, {"role": "user", "content": "And of Italy?"}],
    [{"role": "user", "content": [{"type": "text", "text": 5}]}],
    [{"role": "assistant", "tool_calls": "x"}, *JAPAN],
    [{"role": "assistant", "tool_calls": [{"id": "a"}]}, *JAPAN],
    [{"role": "assistant", "tool_calls": [_call(None)]}, *JAPAN],
    [{"role": "assistant", "tool_calls": [_call("{bad")]}, *JAPAN],
    [{"role": "assistant", "content": None, "tool_calls": [_call("{}")]},
     {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "x"}]}],
    [{"role": "user", "content": "x", "name": 5}],
    [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
    [{"role": "user", "content": [{"type": "refusal", "refusal": "no"}]}],
    [{"role": "assistant", "content": "a", "reasoning_content": "b"}, *JAPAN],
    [{"role": "user", "content": []}], [{"role": "user", "content": [None]}],
    [{"role": "", "content": "x"}], [{"role": "system", "content": "x"}],
]


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields():
    for field, values in _FIELDS.items():
        for value in values:
            both(f"{field}={_short(value)}", **{field: value})
    for field, values in _CHAT_FIELDS.items():
        for value in values:
            chat(f"{field}={_short(value)}", **{field: value})
    chat("top_logprobs 21", logprobs=True, top_logprobs=21)
    chat("top_logprobs -1", logprobs=True, top_logprobs=-1)
    chat("top_logprobs 21 in a stream", logprobs=True, top_logprobs=21, stream=True)
    completion("logprobs 21 in a stream", logprobs=21, stream=True)
    completion("suffix", suffix="x")
    completion("empty suffix", suffix="")
    for prompt in _PROMPTS:
        completion(f"prompt={_short(prompt)}", prompt=prompt)
    completion("prompts over the limit", prompt=["a"] * 1025)
    completion("no prompt", prompt=ABSENT)
    for number, messages in enumerate(_MESSAGES):
        chat(f"messages {number}: {_short(messages)}", messages=messages)
    chat("no messages", messages=ABSENT)


def _lengths():
    chat("too long", messages=[{"role": "user", "content": "word " * 9000}])
    completion("too long", prompt="word " * 9000)
    completion("too long by far", prompt="w " * 60000)
    completion("as long as the model", prompt=[5] * 8192)
    completion("longer than the model", prompt=[5] * 9000)
    completion("room for two", prompt=[5] * 8190)


FRANCE = [504, 3575, 282, 4649, 314]  # "The capital of France is"


def generate(name, sampling=None, **fields):
    body = {"token_ids": FRANCE, "sampling_params": {"max_tokens": 4, "temperature": 0, **(sampling or {})},
            **fields}
    _add("generate " + name, "POST", "/inference/v1/generate", _without_absent(body))


def render(name, **fields):
    """The same request, rendered by both endpoints."""
    for kind, input_ in (("chat", {"messages": GREETING}), ("completion", {"prompt": "Hello"})):
        body = {"model": MODEL, "max_tokens": 3, "temperature": 0, **input_, **fields}
        path = "/v1/chat/completions" if kind == "chat" else "/v1/completions"
        _add(f"render {kind} {name}", "POST", path + "/render", body)


# Of sampling_params: one field with a value that stands for itself.
_SAMPLING_PARAMS = {
    "temperature": ["x", "0", 3, -1],
    "top_p": [0], "top_k": [-2], "min_p": [2], "repetition_penalty": [0], "presence_penalty": [3],
    "n": [0],
    "seed": [-1],
    "logprobs": [0, 1, 2, True, 21, -1, -2, "x"],
    "prompt_logprobs": [0, 1],
    "stop": ["a", ["a1", "b1", "c1", "d1", "e1"], [""], None, 5],
    "stop_token_ids": [[7042], [999999]],
    "logit_bias": [{"7042": -100}, {"999999": 1}],
    "max_tokens": [0, -1, 100000, None, "x", 16],
    "min_tokens": [2, 9],
    "allowed_token_ids": [[5, 6], []],
    "bad_words": [["foo"], [""]],
    "structured_outputs": [{"choice": ["a", "b"]}, {}, {"choice": ["a"], "regex": "a"}, {"regex": "("}, None],
    "repetition_detection": [{"max_pattern_size": 2, "min_pattern_size": 1, "min_count": 2}],
    "thinking_token_budget": [4],
    "detokenize": [True],
    "output_kind": [2],
    "skip_reading_prefix_cache": [True],
    "flat_logprobs": [True],
    "made_up": [1],
}

_GENERATE_FIELDS = {
    "model": [MODEL, None, "nope"],
    "token_ids": [[], [-1], [999999], "x", ["5"], [1.5], ["x", None], [[1]]],
    "sampling_params": [{"temperature": 0}, None, []],
    "request_id": ["me", 5],
    "return_token_ids": [True],
    "stream": ["x"],
    "stream_options": [{"include_usage": True}],
    "cache_salt": ["x", "", 5, "a@b", "x" * 129],
    "priority": [0, 2**70],
    "output_mode": ["text", "x"],
    "reasoning_ended": [True],
    "token_offsets": [[[0, 1]] * 5],
    "content_parts": [[]],
    "made_up": [1],
}


def _token_level():
    generate("plain")
    for field, values in _SAMPLING_PARAMS.items():
        for value in values:
            generate(f"sampling {field}={_short(value)}", {field: value})
    for field, values in _GENERATE_FIELDS.items():
        for value in values:
            generate(f"{field}={_short(value)}", **{field: value})
    generate("no tokens", token_ids=ABSENT)
    generate("no sampling", sampling_params=ABSENT)
    generate("stream", stream=True)
    generate("stream with usage", stream=True, stream_options={"include_usage": True})
    generate("stream with usage in every chunk", stream=True, stream_options=EVERY_CHUNK)
    generate("stream of logprobs", {"logprobs": 2}, stream=True)
    generate("stream of token ids", stream=True, return_token_ids=True)
    generate("two", {"n": 2, "temperature": 1, "seed": 5})
    generate("stream of two", {"n": 2, "temperature": 1, "seed": 5}, stream=True)
    generate("two, greedy", {"n": 2})
    generate("text and logprobs", {"logprobs": 1}, output_mode="text")
    generate("text to a stop", {"stop": [" Paris"]}, output_mode="text")
    generate("text to a stop shown", {"stop": ["Paris"], "include_stop_str_in_output": True},
             output_mode="text")
    generate("stream of text", output_mode="text", stream=True)
    generate("text that is not wanted", {"detokenize": False}, output_mode="text")
    generate("a stop without text", {"detokenize": False, "stop": ["a"]})
    generate("logprobs of more named tokens", {"logprobs": 1, "logprob_token_ids": [5, 7042]})
    generate("prompt logprobs of a stream", {"prompt_logprobs": 1}, stream=True)
    generate("as long as the model", token_ids=[504] * 8191)
    render("plain")
    render("drawn", temperature=1.0, seed=5, top_p=0.5, top_k=7, min_p=0.1, n=2)
    render("stream", stream=True, stream_options={"include_usage": True})
    render("stops", stop=["a"], stop_token_ids=[3], min_tokens=2, ignore_eos=True)
    render("penalties", presence_penalty=0.5, frequency_penalty=0.25, repetition_penalty=1.1)
    render("tokens", logit_bias={"5": 1}, allowed_token_ids=[1, 2], bad_words=["foo"])
    render("prompt logprobs", prompt_logprobs=1)
    render("choice", structured_outputs={"choice": ["a", "b"]})
    render("json object", response_format={"type": "json_object"})
    render("identity", request_id="me", cache_salt="s", priority=3)
    render("offsets", return_token_offsets=True)
    render("shown text", skip_special_tokens=False, spaces_between_special_tokens=False,
           include_stop_str_in_output=True)
    render("repetition", repetition_detection={"max_pattern_size": 2, "min_pattern_size": 1, "min_count": 2})
    render("sixteen tokens", max_tokens=16)
    render("no length", max_tokens=None)
    render("beams", use_beam_search=True)
    for name, fields in {
            "plain": {}, "drawn": {"temperature": 0.5, "top_p": 0.5, "top_k": 7, "stop_sequences": ["x"]},
            "system": {"system": "Be brief."}, "stream": {"stream": True}, "no length": {"max_tokens": None},
            "negative temperature": {"temperature": -1}, "other model": {"model": "gpt-9"}}.items():
        body = {"model": "smollm2", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **fields}
        _add(f"render messages {name}", "POST", "/v1/messages/render",
             {key: value for key, value in body.items() if value is not None})
    for name, fields in {
            "plain": {}, "instructions": {"instructions": "Be brief.", "temperature": 0.5},
            "stream": {"stream": True}, "identity": {"request_id": "me", "cache_salt": "s", "priority": 3},
            "earlier": {"previous_response_id": "resp_1"}, "other model": {"model": "gpt-9"}}.items():
        _add(f"render responses {name}", "POST", "/v1/responses/render",
             {"model": "smollm2", "input": "Hi", "max_output_tokens": 5, **fields})
    render("bad temperature", temperature=9)
    render("no such model", model="nope")
    for name, fields in {
        "characters": {"prompt": "na\u00efve \U0001f642 caf\u00e9 \u65e5\u672c", "return_token_offsets": True},
        "offsets of tokens": {"prompt": [504, 505], "return_token_offsets": True},
        "two prompts": {"prompt": ["One", "two"]},
        "no prompt": {"prompt": []},
        "a cut prompt": {"prompt": [504] * 30, "truncate_prompt_tokens": 3},
        "echo": {"echo": True, "logprobs": 2, "max_tokens": 0},
        "too long": {"max_tokens": 100000},
    }.items():
        _add("render completion " + name, "POST", "/v1/completions/render",
             {"model": MODEL, "prompt": "Hello", "max_tokens": 3, "temperature": 0, **fields})
    _add("render chat logprobs", "POST", "/v1/chat/completions/render",
         {"model": MODEL, "messages": GREETING, "max_tokens": 3, "temperature": 0, "logprobs": True,
          "top_logprobs": 3})
    for name, body in {"one": {"request_ids": ["x"]}, "none": {}, "a text": {"request_ids": "x"},
                       "no JSON": b"xx"}.items():
        _add("abort " + name, "POST", "/inference/v1/abort_requests", body)


def _tokens():
    for name, fields in {
        "a prompt": {"prompt": "Hello world"},
        "a prompt, strings": {"prompt": "Hello world \u00e9", "return_token_strs": True},
        "a prompt, no specials": {"prompt": "<|im_start|>a", "add_special_tokens": False},
        "an empty prompt": {"prompt": ""},
        "no input": {},
        "a list": {"prompt": ["a"]},
        "a chat": {"messages": GREETING},
        "a chat, no generation prompt": {"messages": GREETING, "add_generation_prompt": False},
        "a chat, strings": {"messages": GREETING, "return_token_strs": True},
        "a chat going on": {"messages": [*GREETING, {"role": "assistant", "content": "Hello"}],
                            "add_generation_prompt": False, "continue_final_message": True},
        "a chat with both": {"messages": GREETING, "add_generation_prompt": True,
                             "continue_final_message": True},
        "a chat with a template": {"messages": GREETING, "chat_template": "x"},
        "an unknown model": {"model": "nope", "prompt": "a"},
        "ids": {"prompt": [1, 2]},
        "a chat of nothing": {"messages": []},
        "a chat with specials": {"messages": GREETING, "add_special_tokens": True},
        "special tokens, strings": {"prompt": "<|im_start|>x<|endoftext|>", "return_token_strs": True},
    }.items():
        _add("tokenize " + name, "POST", "/tokenize", {"model": MODEL, **fields})
    for name, fields in {
        "ids": {"tokens": [504, 6376, 314]},
        "special ids": {"tokens": [1, 504, 2]},
        "nothing": {"tokens": []},
        "half a character": {"tokens": [163]},
        "no tokens": {},
        "a text": {"tokens": "x"},
        "a negative id": {"tokens": [-1]},
        "an id outside": {"tokens": [999999]},
        "a fraction": {"tokens": [1.5]},
        "lists": {"tokens": [[1]]},
        "an unknown model": {"model": "nope", "tokens": [1]},
    }.items():
        _add("detokenize " + name, "POST", "/detokenize", {"model": MODEL, **fields})
    _add("tokenizer_info", "GET", "/tokenizer_info")
    for name, fields in {"a chat": {"messages": GREETING}, "a completion": {"prompt": "Hello"},
                         "neither": {}}.items():
        _add("invocations of " + name, "POST", "/invocations",
             {"model": MODEL, "max_tokens": 2, "temperature": 0, **fields})


def _llama():
    def add(name, path, body):
        _add("llama " + name, "POST", path, body, server="llama")

    add("tokenize", "/tokenize", {"content": "Hello world"})
    add("tokenize pieces", "/tokenize", {"content": "Hello \u00e9\U0001f600", "with_pieces": True})
    add("tokenize special", "/tokenize", {"content": "<|im_start|>a"})
    add("tokenize special as text", "/tokenize", {"content": "<|im_start|>a", "parse_special": False})
    add("tokenize mixed", "/tokenize", {"content": [1, "Hello", 2]})
    add("tokenize nothing", "/tokenize", {"content": ""})
    add("detokenize", "/detokenize", {"tokens": [504, 6376, 314]})
    add("detokenize nothing", "/detokenize", {"tokens": []})
    add("apply-template", "/apply-template", {"messages": GREETING})
    add("apply-template of a system message", "/apply-template",
        {"messages": [{"role": "system", "content": "Be terse."}, *JAPAN]})
    add("apply-template without messages", "/apply-template", {})
    add("chat", "/v1/chat/completions",
        {"model": MODEL, "messages": JAPAN, "temperature": 0, "max_tokens": 12})
    add("chat stream", "/v1/chat/completions",
        {"model": MODEL, "messages": JAPAN, "temperature": 0, "max_tokens": 12, "stream": True,
         "stream_options": {"include_usage": True}})
    add("completion", "/v1/completions",
        {"model": MODEL, "prompt": "1, 2, 3, 4, 5,", "temperature": 0, "max_tokens": 12})
    add("completion, stop", "/v1/completions",
        {"model": MODEL, "prompt": "1, 2, 3, 4, 5,", "temperature": 0, "max_tokens": 24, "stop": ["8"]})
    add("completion, n_predict", "/v1/completions",
        {"model": MODEL, "prompt": "1, 2, 3, 4, 5,", "temperature": 0, "n_predict": 4})
    add("completion stream", "/v1/completions",
        {"model": MODEL, "prompt": "1, 2, 3, 4, 5,", "temperature": 0, "max_tokens": 12, "stream": True})
    add("completion without a prompt", "/v1/completions", {"model": MODEL, "max_tokens": 1})
    add("infill without tokens for it", "/infill",
        {"input_prefix": "def f(", "input_suffix": "return 1", "n_predict": 4})
    add("chat without messages", "/v1/chat/completions", {"model": MODEL})
    add("chat of a bad temperature", "/v1/chat/completions",
        {"model": MODEL, "messages": GREETING, "temperature": "x", "max_tokens": 1})


def _native():
    """llama.cpp's own completion route: greedy, on a text that no rounding changes."""
    def ask(name, **fields):
        body = {"prompt": "1, 2, 3, 4, 5,", "n_predict": 6, "temperature": 0, **fields}
        _add("native " + name, "POST", "/completion", _without_absent(body), server="llama")

    ask("plain")
    ask("stream", stream=True)
    ask("n_predict 0", n_predict=0)
    ask("max_tokens", n_predict=ABSENT, max_tokens=2)
    ask("stop", stop=["8"], n_predict=20)
    ask("stream to a stop", stop=["7, 8"], n_predict=20, stream=True)
    ask("stop=5", stop=5)
    ask("stop=[5]", stop=[5])
    ask('stop=[""]', stop=[""])
    ask("return_tokens", return_tokens=True)
    ask("n_probs", n_probs=2)
    ask("n_probs to a stop", n_probs=2, stop=["7"], n_predict=20)
    ask("stream of n_probs", n_probs=1, stream=True)
    ask("post_sampling_probs", n_probs=2, post_sampling_probs=True)
    ask("response_fields", response_fields=["content", "generation_settings/n_predict", "nothing"])
    ask("timings_per_token", timings_per_token=True, stream=True)
    for prompt in ("", [], [[]], [""], None, 5, [1.5], [999999], [[[1]]], ["1, 2, 3, 4,"],
                   ["1, 2, 3, 4,", "1, 2, 3, 4, 5, 6,"], {"prompt_string": "1, 2, 3, 4,"},
                   {"prompt_string": "1", "multimodal_data": []}, ABSENT,
                   [33, 28, 216, 34, 28, 216, 35, 28, 216, 36, 28], ["1, 2, 3,", 216, 36, 28]):
        ask("prompt=" + ("absent" if prompt is ABSENT else _short(prompt)), prompt=prompt)
    for field, values in {
        "n_predict": [-2, "x"], "seed": [-2, 2**33, "x"], "temperature": ["x"], "n_keep": [-2, 3],
        "min_keep": [-1], "cache_prompt": ["x", False], "id_slot": [1], "repeat_last_n": [-1],
        "samplers": [["top-k", "nucleus", "TEMP"], "kt", [5], 5], "logit_bias": [[[38, 1]], "x"],
        "dry_sequence_breakers": [[]], "mirostat": [2], "ignore_eos": [True], "n_probs": [129], "stream": ["x"],
        "lora": [[], [{"id": 0, "scale": 0.5}]], "adaptive_target": [0.5], "grammar": ['root ::= " 6"', "root ::= ("],
        "json_schema": [{"type": "nope"}], "n": [0], "grammar_lazy": [True], "made_up": [1],
    }.items():
        for value in values:
            ask(f"{field}={_short(value)}", **{field: value})
    ask("grammar before a schema", grammar='root ::= " 6"', json_schema={"type": "object"})
    ask("a line that is not indented", n_indent=4, n_predict=16, prompt="1\n    2\n    3\n    4\n    5\n    6\n")
    ask("no time", t_max_predict_ms=1, n_predict=8, prompt="1\n2\n3\n4\n5\n6\n7")
    ask("too long", prompt="word " * 9000)
    for path in ("/health", "/v1/health"):
        _add("llama GET " + path, "GET", path, server="llama")
    _add("llama apply-template going on", "POST", "/apply-template",
         {"messages": [*JAPAN, {"role": "assistant", "content": "It is"}]}, server="llama")


def _derender():
    for name, path, body in cases_derender.requests():
        _add(name, "POST", path, body)


for _section in (_plumbing, _answers, _combinations, _stops, _echo, _fields, _lengths, _tokens, _token_level,
                 _llama, _native, _derender):
    _section()
assert len({case.name for case in CASES}) == len(CASES)
