#!/usr/bin/env python3
"""Time from `baton serve smollm2-135m` to the first streamed token, on the built tree.
usage: tests/bench/start_to_first_token.py [RUNS]        bar: under 2 s"""
import http.client
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import serving  # noqa: E402


def first_token(server):
    """Asks again and again, as an impatient client does, until a token has come."""
    while time.monotonic() < server.started + serving.DEADLINE:
        assert server.process.poll() is None, server.output()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("POST", "/v1/completions", json.dumps(
                {"model": serving.MODEL, "prompt": "The sky is", "max_tokens": 4, "stream": True}),
                {"content-type": "application/json"})
            response = connection.getresponse()
            if response.status == 200 and b"data:" in response.readline():
                return time.monotonic() - server.started
            response.read()
        except OSError:
            pass
        time.sleep(0.005)
    raise AssertionError(f"no token after {serving.DEADLINE} s: {server.output()}")


def main():
    times = []
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 7):
        server = serving.Server()
        times.append(first_token(server))
        server.stop()
    print(f"start to first token: median {statistics.median(times):.2f} s, "
          f"{min(times):.2f} to {max(times):.2f} in {len(times)} runs (bar: under 2 s)")


main()
