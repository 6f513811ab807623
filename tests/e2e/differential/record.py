"""Asks a real server every request of cases.py and writes its answers down.

    record.py vllm  http://127.0.0.1:18080  >vllm.jsonl     # vLLM 0.32, see below
    record.py llama http://127.0.0.1:18081  >llama.jsonl    # llama-server, -a smollm2
    record.py vllm  http://127.0.0.1:18080  vllm.jsonl >>vllm.jsonl    # only what is not there yet

One line per case: name, status, content-type, text, and for greedy answers `sure`: the beginning of
the text, by choice, up to the first token whose two likeliest candidates lie within GAP of each
other. Beyond it, servers that round differently may differ. Weights: SmolLM2-135M-Instruct, for
vLLM as a Hugging Face directory made from the GGUF file (--served-model-name
smollm2 --max-model-len 8192 --enable-scale-out).
"""
import http.client
import json
import re
import sys
import urllib.parse

import cases

GAP = 0.2
GENERATE = "/inference/v1/generate"


def ask(base, case, body=None):
    """Status, content type and text of the answer; `body` replaces the case's own."""
    address = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
    headers = {"content-type": "application/json", **dict(case.headers)}
    data = case.data() if body is None else json.dumps(body).encode()
    connection.request(case.method, case.path, data, headers if data is not None else {})
    answer = connection.getresponse()
    return answer.status, answer.getheader("content-type", ""), answer.read().decode("utf-8", "replace")


def gap_of(likeliest):
    values = sorted(likeliest, reverse=True)
    return values[0] - values[1] if len(values) > 1 else 0.0


def sure_part(choice):
    """The text of a choice up to the first token that was chosen by less than GAP."""
    text = ""
    logprobs = choice.get("logprobs") or {}
    if "content" in logprobs:
        for entry in logprobs["content"]:
            if gap_of([top["logprob"] for top in entry["top_logprobs"]]) <= GAP:
                break
            text += entry["token"] if "token" in entry else f"{entry['token_id']} "
    else:
        for token, top in zip(logprobs["tokens"], logprobs["top_logprobs"]):
            if gap_of(list(top.values())) <= GAP:
                break
            text += token
    return text


def sure_parts(base, case):
    """By choice; None when the answer has no text of this kind."""
    body = case.body
    if not isinstance(body, dict) or case.path not in ("/v1/chat/completions", "/v1/completions", GENERATE):
        return None
    sampling = body.get("sampling_params", body)
    if sampling.get("temperature") != 0 or "logit_bias" in sampling:
        return None
    wanted = {"logprobs": True, "top_logprobs": 2} if "messages" in body else {"logprobs": 2}
    if case.path == GENERATE:
        wanted = {"sampling_params": {**sampling, **wanted, "prompt_logprobs": None}}
    changed = {**body, **wanted, "stream": False}
    if case.path != GENERATE:
        changed["echo"] = False
    for name in ("stream_options", "return_tokens_as_token_ids", "prompt_logprobs"):
        changed.pop(name, None)
    status, _, text = ask(base, case, changed)
    if status != 200:
        return None
    return [sure_part(choice) for choice in json.loads(text)["choices"]]


def main():
    server, base, *known = sys.argv[1:]
    names = {json.loads(line)["name"] for path in known for line in open(path)}
    for case in cases.CASES:
        if case.server != server or case.name in names:
            continue
        status, content_type, text = ask(base, case)
        line = {"name": case.name, "status": status, "type": content_type,
                # Paths of the machine that recorded are nobody's business.
                "text": re.sub(r'"(/[\w./-]+|/[^"]*/)smollm2[\w./-]*"', '"smollm2"', text)}
        if status == 200:
            sure = sure_parts(base, case)
            if sure is not None:
                line["sure"] = sure
        print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
