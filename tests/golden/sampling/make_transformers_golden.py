#!/usr/bin/env python3
"""What the logits processors of transformers and vLLM make of rows of logits: processors.json.

    make_transformers_golden.py        needs torch, transformers, vllm

The form is that of llama.json, see make_llama_golden.py.
"""
import json
import pathlib
import random

import torch
from transformers import (MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
                          TopKLogitsWarper, TopPLogitsWarper, TypicalLogitsWarper)
from vllm.model_executor.layers.utils import apply_penalties
from vllm.v1.sample.ops.bad_words import apply_bad_words

VOCAB = 96


def transformers_case(params, history):
    processors = {
        "repetition_penalty": RepetitionPenaltyLogitsProcessor,
        "temperature": TemperatureLogitsWarper,
        "min_p": lambda p: MinPLogitsWarper(min_p=p, min_tokens_to_keep=params.get("min_keep", 1)),
        "top_k": TopKLogitsWarper,
        "typical_p": lambda p: TypicalLogitsWarper(mass=p,
                                                   min_tokens_to_keep=params.get("min_keep", 1)),
        "top_p": lambda p: TopPLogitsWarper(top_p=p, min_tokens_to_keep=params.get("min_keep", 1)),
    }
    chain = [make(params[name]) for name, make in processors.items() if name in params]

    def run(logits):
        for processor in chain:
            logits = processor(torch.tensor([history]), logits)
        return logits

    return run


def vllm_case(params, history, prompt_count):
    def run(logits):
        if "bad_words" in params:
            apply_bad_words(logits, {0: params["bad_words"]}, [history[prompt_count:]])
        if "repetition_penalty" in params:
            scalar = lambda name: torch.tensor([params[name]])
            output = history[prompt_count:]
            logits = apply_penalties(logits, torch.tensor([history[:prompt_count]]),
                                     torch.tensor([output if output else [VOCAB]]),
                                     scalar("presence_penalty"), scalar("frequency_penalty"),
                                     scalar("repetition_penalty"))
        return logits

    return run


def cases():
    rng = random.Random(4)
    for p in (0.05, 0.3, 0.7, 0.95, 0.999):
        for name in ("min_p", "typical_p", "top_p"):
            yield "transformers", {name: p}
            yield "transformers", {name: p, "min_keep": 7}
    for _ in range(14):
        yield "transformers", {
            "repetition_penalty": rng.choice([1.0, 1.1, 1.7]), "temperature": rng.uniform(0.3, 1.8),
            "top_k": rng.randint(3, 60), "min_p": rng.uniform(0.001, 0.2),
            "typical_p": rng.uniform(0.5, 0.99), "top_p": rng.uniform(0.5, 0.99)}
    for _ in range(6):
        yield "vllm", {"repetition_penalty": rng.choice([0.8, 1.2, 2.0]),
                       "presence_penalty": rng.uniform(-2, 2),
                       "frequency_penalty": rng.uniform(-2, 2)}
    for _ in range(6):
        yield "vllm", {"bad_words": [[rng.randrange(5) for _ in range(rng.randint(1, 3))]
                                     for _ in range(12)] + [[80]]}


def main():
    content = []
    for index, (oracle, params) in enumerate(cases()):
        rng = random.Random(1000 + index)
        history = [rng.randrange(5) for _ in range(30)]
        prompt_count = rng.randrange(31)
        params = {key: torch.tensor(value).item() if isinstance(value, float) else value
                  for key, value in params.items()}
        row = torch.tensor([[round(rng.gauss(0, rng.choice([1, 2, 4])), 4) for _ in range(VOCAB)]])
        run = transformers_case(params, history) if oracle == "transformers" else vllm_case(
            params, history, prompt_count)
        probabilities = torch.softmax(run(row.clone()).double(), dim=-1)[0]
        left = [[token, float(f"{p:.7g}")] for token, p in enumerate(probabilities.tolist()) if p > 0]
        content.append({"name": oracle, "params": params, "history": history,
                        "prompt_count": prompt_count, "rows": row.tolist(),
                        "results": [{"left": left, "selected": None}]})
    path = pathlib.Path(__file__).with_name("processors.json")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in content)
    path.write_text("[\n" + lines + "\n]\n")
    print(path.name, len(content), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
