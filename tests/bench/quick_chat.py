#!/usr/bin/env python3
"""What `baton chat --quick` itself takes: process start to exit, less what the server took.
usage: tests/bench/quick_chat.py [--runs N] [--peer "vllm chat --quick {text} --url {url}"]
       bar: under 50 ms

The server is this script: it answers at once what a served model would, and notes when it had each
request and when its last byte was out. What a run took besides is the client's own time: loading,
parsing options, connecting, reading, printing, ending. BATON_BIN: where `baton` is."""
import argparse
import json
import os
import pathlib
import resource
import shlex
import socket
import statistics
import subprocess
import sys
import threading
import time

TEXT = "What is the capital of Japan?"
WORDS = ["The", " capital", " of", " Japan", " is", " Tokyo", "."]
BAR_MS = 50


def chunk(delta, finish=None):
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def stream():
    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"content": word}) for word in WORDS] + [chunk({}, "stop")]
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode() + b"data: [DONE]\n\n"


class Server:
    """Answers one connection at a time; `busy` is how long clients have waited for it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.busy = 0.0
        self.served = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                got = connection.recv(65536)
                if not got:
                    return connection.close()
                pending += got
            head, pending = pending.split(b"\r\n\r\n", 1)
            lengths = [line.split(b":")[1] for line in head.split(b"\r\n")
                       if line.lower().startswith(b"content-length:")]
            while lengths and len(pending) < int(lengths[0]):
                pending += connection.recv(65536)
            begun = time.perf_counter()
            pending = pending[int(lengths[0]) if lengths else 0:]
            models = b"GET /v1/models" in head
            body = json.dumps({"object": "list", "data": [
                {"id": "m", "object": "model", "created": 1, "owned_by": "test"}]}).encode() \
                if models else stream()
            kind = b"application/json" if models else b"text/event-stream; charset=utf-8"
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ncontent-length: "
                               + str(len(body)).encode() + b"\r\n\r\n" + body)
            self.busy += time.perf_counter() - begun
            self.served += 1


def measure(command, server):
    """One run: own milliseconds, and processor milliseconds."""
    busy, served = server.busy, server.served
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OPENAI_API_KEY": "EMPTY"}
    begun = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment, timeout=300)
    took = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0 and "".join(WORDS) in done.stdout, done.stdout + done.stderr
    assert server.served > served, "the command asked nothing"
    spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    return (took - (server.busy - busy)) * 1e3, spent * 1e3


def report(name, command, runs, server):
    times = [measure(command, server) for _ in range(runs)]
    own = sorted(time[0] for time in times)
    processor = statistics.median(time[1] for time in times)
    print(f"{name:<24} own time: median {statistics.median(own):8.1f} ms, {own[0]:.1f} to "
          f"{own[-1]:.1f} in {runs} runs; processor time {processor:.1f} ms", flush=True)
    return statistics.median(own)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--peer", action="append", default=[],
                        help="another client's command, with {text} and {url}; run three times")
    options = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(os.environ.get("BATON_BIN", root / "build/release/bin"))
    if not (folder / "baton").exists():
        sys.exit(f"{folder / 'baton'} is not there: build it, or say in BATON_BIN where it is")
    server = Server()
    url = f"http://127.0.0.1:{server.port}/v1"
    baton = [folder / "baton", "chat", "--quick", TEXT, "--url", url]
    measure(baton, server)  # from disk
    own = report("baton chat --quick", baton, options.runs, server)
    for peer in options.peer:
        words = [word.format(text=TEXT, url=url) for word in shlex.split(peer)]
        report(pathlib.Path(words[0]).name + " " + words[1], words, 3, server)
    print(f"bar: under {BAR_MS} ms: {'met' if own < BAR_MS else 'MISSED'}")
    sys.exit(0 if own < BAR_MS else 1)


main()
