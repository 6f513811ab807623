#!/usr/bin/env python3
"""Throughput of `baton serve smollm2-135m` next to other servers on this machine, turn by turn.
usage: tests/bench/serve_peers.py [--rounds R] [--concurrency C] [NAME=URL ...]
Each NAME=URL is an OpenAI-compatible server that runs already and serves the same model, for example
vllm=http://127.0.0.1:8001 (vLLM on the CPU) and llama=http://127.0.0.1:8002 (llama-server, 8 slots).
The method is that of `vllm bench serve`: 48 random prompts of 128 tokens, 64 output tokens each,
end tokens ignored. Only one server is under load at a time; ratios are taken round by round."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import serving  # noqa: E402


def measure(url, concurrency):
    result = subprocess.run(
        [serving.BIN / "baton", "bench", "serve", "--base-url", url, "--json",
         "--max-concurrency", str(concurrency), "--num-prompts", str(6 * concurrency)],
        capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("peers", nargs="*", metavar="NAME=URL")
    options = parser.parse_args()
    server = serving.Server().wait_ready()
    urls = {"baton": server.url, **dict(peer.split("=", 1) for peer in options.peers)}
    rounds = [{name: measure(url, options.concurrency) for name, url in urls.items()}
              for _ in range(options.rounds)]
    server.stop()
    print(f"{'server':<10} {'output tokens/s':>24} {'mean TTFT ms':>13} {'mean TPOT ms':>13} {'baton is':>10}")
    for name in urls:
        rates = [r[name]["output_throughput"] for r in rounds]
        ratios = [r["baton"]["output_throughput"] / r[name]["output_throughput"] for r in rounds]
        median = {key: statistics.median(r[name][key] for r in rounds)
                  for key in ("mean_ttft_ms", "mean_tpot_ms")}
        print(f"{name:<10} {statistics.median(rates):>10.1f} ({min(rates):.1f}-{max(rates):.1f})"
              f" {median['mean_ttft_ms']:>13.1f} {median['mean_tpot_ms']:>13.2f}"
              f" {statistics.median(ratios):>9.2f}x")


main()
