#!/usr/bin/env python3
"""Decoding with quantised weights against bfloat16 weights and against llama-bench, in turns.
usage: tests/bench/quantized_decode.py [--rounds N] [--threads N] [--bench PROGRAM] MODEL.gguf ...

Each round runs the three one after the other; ratios are of a round's own runs, the median is
printed. llama-bench is taken from LLAMA_BENCH or PATH and left out if there is none."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ours(program, model, quantization, threads):
    """Tokens per second of one sequence after 128 tokens, and of a prompt of 512."""
    environment = os.environ | {"BATON_BENCH_MODEL": str(model), "BATON_BENCH_THREADS": str(threads),
                                "BATON_BENCH_QUANTIZATION": quantization}
    out = subprocess.run([program, "--benchmark_filter=BM_Decode/1/|BM_Prefill/512",
                          "--benchmark_min_time=1", "--benchmark_format=json"], env=environment,
                         capture_output=True, text=True, check=True, timeout=300).stdout
    rates = {b["name"]: b["tokens/s"] for b in json.loads(out)["benchmarks"]}
    return (next(v for k, v in rates.items() if "Decode" in k),
            next(v for k, v in rates.items() if "Prefill" in k))


def theirs(program, model, threads):
    out = subprocess.run([program, "-m", str(model), "-t", str(threads), "-p", "512", "-n", "64",
                          "-r", "1", "-o", "json"], capture_output=True, text=True, check=True,
                         timeout=300).stdout
    rates = {bool(r["n_gen"]): r["avg_ts"] for r in json.loads(out)}
    return rates[True], rates[False]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/decode_bench"))
    arguments = parser.parse_args()
    peer = os.environ.get("LLAMA_BENCH") or shutil.which("llama-bench")
    for model in arguments.models:
        rounds = []
        for _ in range(arguments.rounds):
            row = {"quantised": ours(arguments.bench, model, "auto", arguments.threads),
                   "bfloat16": ours(arguments.bench, model, "none", arguments.threads)}
            if peer:
                row["llama-bench"] = theirs(peer, model, arguments.threads)
            rounds.append(row)
        print(f"{model.name}, {arguments.threads} threads, medians of {arguments.rounds} rounds")
        for name in rounds[0]:
            for index, what in enumerate(("decode", "prefill")):
                rate = statistics.median(row[name][index] for row in rounds)
                ratio = statistics.median(row["quantised"][index] / row[name][index] for row in rounds)
                print(f"  {name:12} {what:8} {rate:8.1f} tokens/s, quantised is {ratio:.2f} of it")


if __name__ == "__main__":
    main()
