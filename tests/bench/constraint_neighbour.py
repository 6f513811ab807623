#!/usr/bin/env python3
"""What constrained requests cost the others: time per token of an unconstrained stream beside another
unconstrained one, and beside a constrained one (a usual schema; schemas never seen before, one after
another; a grammar with slow masks).

    tests/bench/constraint_neighbour.py [URL]      a served model; default http://127.0.0.1:8000

Prints the median and the 99th percentile of the gaps between the stream's chunks, in milliseconds.
"""
import json
import statistics
import sys
import threading
import time
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
TOKENS = 120
REPEATS = 4
PERSON = {"type": "object", "properties": {
    "name": {"type": "string"}, "age": {"type": "integer"},
    "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["name", "age", "tags"]}
SLOW = 'root ::= item+\nitem ::= "(" root? ")" | [a-z]{1,9} " " | [0-9]{1,9} " "\n'


def post(body):
    request = urllib.request.Request(
        URL + "/v1/completions", json.dumps({"prompt": "Once upon a time", "seed": 1, **body}).encode(),
        {"content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=120)


def gaps():
    """Seconds between the chunks of one unconstrained stream."""
    stamps = []
    with post({"max_tokens": TOKENS, "ignore_eos": True, "stream": True}) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                stamps.append(time.perf_counter())
    return [b - a for a, b in zip(stamps[1:], stamps[2:])]


def beside(neighbour):
    """The gaps while `neighbour(i)` is asked again and again."""
    stop = threading.Event()

    def ask():
        i = 0
        while not stop.is_set():
            with post({"max_tokens": 60, "temperature": 1.0, **neighbour(i)}) as answer:
                answer.read()
            i += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        return [gap for _ in range(REPEATS) for gap in gaps()]
    finally:
        stop.set()
        thread.join()


def fresh_schema(i):
    return {"structured_outputs": {"json": {**PERSON, "title": f"{i} {time.time()}"}}}


def main():
    post({"max_tokens": 4}).read()
    for name, neighbour in (
            ("unconstrained", lambda i: {"ignore_eos": True}),
            ("schema", lambda i: {"structured_outputs": {"json": PERSON}}),
            ("fresh schemas", fresh_schema),
            ("slow grammar", lambda i: {"structured_outputs": {"grammar": SLOW}})):
        times = sorted(beside(neighbour))
        print(f"beside {name:14} median {statistics.median(times) * 1e3:7.2f} ms   "
              f"p99 {times[int(len(times) * 0.99)] * 1e3:7.2f} ms   ({len(times)} gaps)")


if __name__ == "__main__":
    main()
