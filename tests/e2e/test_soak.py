"""Load from clients that misbehave, on a cache that is too small: nothing is lost, nothing stays behind.

Under tests/run.sh --full, for $BATON_SOAK_SECONDS (60); $BATON_SOAK_SEED (1) decides what is sent.
"""
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import time

import pytest

import serving
from hostile_client import HostileClient, head

FULL = bool(os.environ.get("BATON_TEST_FULL"))
SECONDS = float(os.environ.get("BATON_SOAK_SECONDS", 60))
SEED = int(os.environ.get("BATON_SOAK_SEED", 1))
CLIENTS = 16
BOUND = 180  # of one client's act, in seconds
CHAT, COMPLETION, LLAMA = "/v1/chat/completions", "/v1/completions", "/completion"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}, "age": {"type": "integer"}},
          "required": ["name"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "now", "parameters": {
    "type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}}}]
USER = [{"role": "user", "content": "What is the time in Oslo?"}]
JUNK = (None, -1, 0, 1e308, 2**64, "", "x", [], {}, [[]], "\0", "a" * 3000, [None], 0.5, "😀", {"a": {"b": []}})
# Their answers do not depend on what else runs.
FIXED = [
    (COMPLETION, {"prompt": "1, 2, 3, 4, 5,", "max_tokens": 24, "temperature": 0}),
    (COMPLETION, {"prompt": "Once upon a time", "max_tokens": 24, "temperature": 1, "seed": 5, "n": 2}),
    (COMPLETION, {"prompt": "word " * 400, "max_tokens": 8, "temperature": 0}),
    (CHAT, {"messages": USER, "max_tokens": 40, "seed": 3, "tools": TOOLS, "tool_choice": "required"}),
    (LLAMA, {"prompt": "The sea is", "n_predict": 20, "seed": 9, "mirostat": 2, "mirostat_tau": 4}),
]
RUBBISH = [
    (b"\x16\x03\x01\x02\x00\r\n\r\n", {400}), (b"GET / HTTP/9.9\r\n\r\n", {400, 505}),
    (head("POST", CHAT, 5, ["Transfer-Encoding: chunked"]), {400}),
    (head("POST", CHAT, 40 << 20), {413}), (head("GET", "/" + "a" * 9000), {414}),
    (head("GET", "/health", None, ["X-Big: " + "a" * 70000]), {431}), (head("PATCH", CHAT, 0), {405}),
    (head("POST", CHAT, 5) + b'"\xff\xfe" ', {400}), (head("POST", CHAT, 200000) + b"[" * 200000, {400}),
]


class Traffic:
    """Requests and behaviours, drawn from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def words(self, limit):
        some = ["river", "stone", "東京", "Grüße", "😀", "<|im_end|>", "{", "\n", "12345", "the"]
        return " ".join(self.random.choices(some, k=self.random.randint(1, limit)))

    def options(self):
        pick = self.random.choice
        drawn = {"max_tokens": pick([1, 4, 16, 64]), "temperature": pick([0, 1]), "seed": pick([None, 7]),
                 "stop": pick([None, ["."], "the"]), "n": pick([1, 1, 2, 4]), "stream": self.chance(0.5)}
        for share, more in ((.2, {"logprobs": 2}), (.1, {"ignore_eos": True}), (.1, {"prompt_logprobs": 1}),
                            (.1, {"dry_multiplier": 0.8}), (.1, {"xtc_probability": 0.5}), (.1, {"min_tokens": 3}),
                            (.1, {"grammar": 'root ::= "yes" | "no"'}), (.1, {"guided_json": SCHEMA}),
                            (.1, {"structured_outputs": {"regex": "[a-z]{3,9}"}})):
            if self.chance(share):
                drawn.update(more)
        return drawn | ({"stream_options": {"include_usage": True}} if drawn["stream"] else {})

    def request(self):
        kind = self.random.randrange(9)
        text = self.words(self.random.choice([10, 10, 10, 200, 2000]))
        if kind <= 2:
            body = {**self.options(), "messages": [{"role": "user", "content": text}]}
            body["logprobs"] = "logprobs" in body
            return CHAT, body | ({"tools": TOOLS} if self.chance(.3) else {})
        if kind <= 4:
            return COMPLETION, {**self.options(), "prompt": self.random.choice([text, [text, "b"], [1, 2, 3]]),
                                "return_token_ids": True}
        if kind == 5:
            return LLAMA, {"prompt": text, "n_predict": 16, "stream": self.chance(.5), "n_probs": 2}
        if kind == 6:
            return "/v1/messages", {"max_tokens": 16, "messages": [{"role": "user", "content": text}],
                                    "stream": self.chance(.5)}
        if kind == 7:
            return "/v1/responses", {"input": text, "max_output_tokens": 16, "stream": self.chance(.5)}
        return "/tokenize", {"prompt": text}

    def spoil(self, body):
        for name in self.random.choices(list(body), k=self.random.choice([1, 1, 2])):
            body[name] = self.random.choice(JUNK)


def check_stream(path, answer):
    """It has one end, and that is its last event."""
    text = answer.body.decode()
    assert text.endswith("\n\n"), text[-100:]
    events = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
    if path in (CHAT, COMPLETION):
        assert events[-1] == "[DONE]" and events.count("[DONE]") == 1, events[-2:]
        chunks = [json.loads(event) for event in events[:-1]]
        ends = [choice["index"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
        seen = {choice["index"] for chunk in chunks for choice in chunk["choices"]}
        assert sorted(ends) == sorted(seen) and seen, events[-3:]
        tokens = [len(choice.get("token_ids") or []) for chunk in chunks for choice in chunk["choices"]]
        if path == COMPLETION and chunks[-1].get("usage"):
            assert chunks[-1]["usage"]["completion_tokens"] == sum(tokens) or not sum(tokens), events[-2]
        return
    last = json.loads(events[-1])
    assert last.get("stop") or last["type"] in ("message_stop", "response.completed", "response.incomplete"), last


def check(path, answer):
    assert answer.status in (200, 400, 404, 413), (path, answer.status, answer.body[:300])
    if answer.is_stream:
        return check_stream(path, answer)
    body = json.loads(answer.body)
    if answer.status != 200:
        assert body["error"]["message"], body
    elif path in (CHAT, COMPLETION):
        usage = body["usage"]
        assert all(choice["finish_reason"] for choice in body["choices"]), body
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], usage


def essence(answer):
    body = json.loads(answer.body)
    if "choices" not in body:
        return body["content"]
    return [(choice.get("text"), (choice.get("message") or {}).get("content"), choice["finish_reason"],
             [call["function"] for call in (choice.get("message") or {}).get("tool_calls") or []])
            for choice in body["choices"]]


async def ask(port, path, body):
    client = await HostileClient().open(port)
    data = json.dumps(body).encode()
    client.send(head("POST", path, len(data)) + data)
    answer = await client.read()
    client.close()
    return answer


async def misbehave(traffic, port):
    """One request, sent and read as no one should."""
    draw, how = traffic.random, traffic.random.randrange(10)
    path, body = traffic.request()
    if traffic.chance(.15):
        traffic.spoil(body)
    data = json.dumps(body, ensure_ascii=traffic.chance(.5)).encode()
    whole = head("POST", path, len(data)) + data
    client = await HostileClient().open(port, 4096 if how == 0 else None)
    if how == 0:  # dawdles
        client.send(whole)
        await asyncio.sleep(draw.choice([1, 5]))
        check(path, await client.read())
    elif how == 1:  # leaves before the answer
        client.send(whole)
        await asyncio.sleep(draw.random() / 2)
    elif how in (2, 3):  # leaves in its middle
        client.send(whole)
        answer = await client.read(enough=draw.choice([1, 300, 3000]))
        if answer.complete:
            check(path, answer)
    elif how == 4:  # sends half
        client.send(whole[:draw.randint(1, len(whole) - 1)])
        await asyncio.sleep(draw.random() / 2)
    elif how == 5:  # two at once
        client.send(whole + whole)
        for _ in range(2):
            check(path, await client.read())
    elif how == 6:  # in chunks
        client.send(head("POST", path, None, ["Transfer-Encoding: chunked"]))
        for at in range(0, len(data), 1000):
            client.send(b"%x\r\n%s\r\n" % (len(data[at:at + 1000]), data[at:at + 1000]))
        client.send(b"0\r\n\r\n")
        check(path, await client.read())
    elif how == 7:  # in an older tongue
        client.send(head("POST", path, len(data), version="1.0") + data)
        check(path, await client.read())
    elif how == 8:
        rubbish, expected = draw.choice(RUBBISH)
        client.send(rubbish)
        answer = await client.read()
        assert answer.status in expected and json.loads(answer.body)["error"], (rubbish[:80], answer.status)
    else:
        client.send(whole)
        check(path, await client.read())
    client.close(reset=traffic.chance(.5))


async def soak(server, seconds, expected):
    """What went wrong, and how many acts there were."""
    wrong, acts = collections.Counter(), 0
    end = time.monotonic() + seconds

    async def client(number):
        nonlocal acts
        traffic = Traffic(f"{SEED} {seconds} {number}")
        while time.monotonic() < end:
            acts += 1
            try:
                if expected and traffic.chance(.1):
                    which = traffic.random.randrange(len(FIXED))
                    answer = await asyncio.wait_for(ask(server.port, *FIXED[which]), BOUND)
                    assert essence(answer) == expected[which], FIXED[which]
                else:
                    await asyncio.wait_for(misbehave(traffic, server.port), BOUND)
            except Exception as error:
                wrong[f"{type(error).__name__}: {error}"[:500]] += 1
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return wrong, acts


def resources(server):
    """Of each process: resident MiB, threads, open files."""
    found = {}
    for name in ("baton-frontend", "baton-router", "baton-worker"):
        for pid in server.children(name):
            folder = pathlib.Path(f"/proc/{pid}")
            resident = int(re.search(r"VmRSS:\s+(\d+)", (folder / "status").read_text())[1]) // 1024
            found[name, pid] = (resident, len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir())))
    return found


def idle(server):
    return all(server.metric(name) == 0 for name in (
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
        "baton_frontend_active_generations"))


@pytest.mark.skipif(not FULL, reason="a minute of load: tests/run.sh --full (BATON_TEST_FULL=1)")
def test_misbehaving_clients_leave_nothing_behind(start):
    server = start("--max-model-len", "1024", "--kv-cache-memory-bytes", str(48 << 20)).wait_ready()
    expected = [essence(asyncio.run(ask(server.port, *request))) for request in FIXED]
    wrong, _ = asyncio.run(soak(server, SECONDS / 3, expected))
    assert not wrong, f"seed {SEED}, warming up: {wrong}"
    serving.eventually(lambda: idle(server), "all has ended")
    before = resources(server)
    wrong, acts = asyncio.run(soak(server, SECONDS, expected))
    assert not wrong, f"seed {SEED}: {wrong}"
    serving.eventually(lambda: idle(server), "all has ended")
    assert acts > SECONDS
    after = resources(server)
    assert after.keys() == before.keys(), server.output()
    for process, (resident, threads, files) in after.items():
        grown = (process, before[process], after[process])
        assert resident < before[process][0] + 100 and threads <= before[process][1] + 4, grown
        assert files <= before[process][2] + 4, grown
    assert [essence(asyncio.run(ask(server.port, *request))) for request in FIXED] == expected
    assert server.stop(signal.SIGTERM) == 0
