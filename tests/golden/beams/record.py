"""Asks a real vLLM 0.32 for beams and writes them down, for tests/e2e/test_beam_search.py.

    record.py http://127.0.0.1:18080 >vllm.jsonl

vLLM serves SmolLM2-135M-Instruct as a Hugging Face directory made from the GGUF file with weights in
float32, as `--served-model-name smollm2 --dtype float32`: rounded to bfloat16, as such directories
often are, four of the cases have other beams. The temperature is 0 as vLLM looks at the token that it
draws too, and one beyond the likeliest would be another beam now and then. One line per case: the
request, and of each choice its tokens, text and end.
"""
import json
import sys
import urllib.request

PROMPTS = ["The capital of France is", "Once upon a time", "def fibonacci(n):\n",
           "The three primary colours are", "Water boils at"]
CHATS = ["Say hello.", "What is 2+2?", "Name a fruit."]


def cases():
    for prompt in PROMPTS:
        for n, penalty in ((1, 1.0), (3, 1.0), (4, 0.0), (4, 2.0)):
            yield "/v1/completions", {"prompt": prompt, "n": n, "length_penalty": penalty,
                                      "max_tokens": 16}
    yield "/v1/completions", {"prompt": PROMPTS[:2], "n": 2, "max_tokens": 8}
    yield "/v1/completions", {"prompt": PROMPTS[0], "n": 4, "max_tokens": 12, "ignore_eos": True}
    yield "/v1/completions", {"prompt": PROMPTS[0], "n": 4, "max_tokens": 12,
                              "include_stop_str_in_output": True}
    yield "/v1/completions", {"prompt": PROMPTS[4], "n": 10, "max_tokens": 6}
    for text in CHATS:
        for n, penalty in ((2, 1.0), (4, -0.5)):
            yield "/v1/chat/completions", {"messages": [{"role": "user", "content": text}], "n": n,
                                           "length_penalty": penalty, "max_tokens": 24}


def main(base):
    for path, fields in cases():
        body = {"model": "smollm2", "use_beam_search": True, "return_token_ids": True,
                "temperature": 0, **fields}
        request = urllib.request.Request(base + path, json.dumps(body).encode(),
                                         {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as reply:
            answer = json.load(reply)
        choices = [{"text": c["text"] if "text" in c else c["message"]["content"],
                    **{key: c[key] for key in ("token_ids", "finish_reason", "stop_reason")}}
                   for c in answer["choices"]]
        print(json.dumps({"path": path, "body": body, "choices": choices,
                          "completion_tokens": answer["usage"]["completion_tokens"]}))


main(sys.argv[1])
