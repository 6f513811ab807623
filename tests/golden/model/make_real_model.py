#!/usr/bin/env python3
"""Records what Hugging Face transformers computes for a real model.

    python tests/golden/model/make_real_model.py $(deploy/models.sh smollm2-135m) smollm2.json
    python tests/golden/model/make_real_model.py $(deploy/models.sh qwen2.5-coder-0.5b) \
        qwen2.5-coder.json --positions 8 --continuation 32

transformers dequantises the GGUF file to float32, so both sides multiply the same numbers. Needs
torch, transformers and gguf; the test that reads the result needs none of them.
"""
import argparse
import json
import pathlib

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOP = 20

CHATS = [
    "What is the capital of Japan?",
    "Write a short poem about a baton that is passed from runner to runner.",
    "Explain in three sentences why the sky is blue and sunsets are red.",
    "List five prime numbers greater than 100 and say how you found them.",
]
TEXTS = [
    "The key-value cache of a transformer holds, for every layer and every position that was seen so"
    " far, one key and one value vector per head. When a new token arrives",
    "def fibonacci(n):\n    \"\"\"Returns the n-th Fibonacci number.\"\"\"\n    if n < 2:\n        return n\n",
    "Der schnelle braune Fuchs springt über den faulen Hund. 敏捷的棕色狐狸跳过懒狗。 Le renard brun"
    " rapide saute par-dessus le chien paresseux.",
    "1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946,"
    " 17711, 28657, 46368, 75025, 121393,",
]


def prompts(tokenizer):
    for text in CHATS:
        messages = [{"role": "user", "content": text}]
        rendered = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        yield text, tokenizer(rendered, add_special_tokens=False)["input_ids"]
    for text in TEXTS:
        yield text, tokenizer(text, add_special_tokens=False)["input_ids"]


def positions(count, wanted):
    """So many positions, evenly spread, the last one included."""
    return [round((i + 1) * count / wanted) - 1 for i in range(wanted)]


def number(value):
    return float(f"{value:.8g}")


@torch.no_grad()
def record(model, text, ids, arguments):
    logits = model(torch.tensor([ids])).logits[0].double()
    rows = []
    for position in positions(len(ids), arguments.positions):
        logsumexp = torch.logsumexp(logits[position], 0)
        top = torch.topk(logits[position] - logsumexp, TOP)
        rows.append({"position": position, "logsumexp": number(logsumexp),
                     "tokens": top.indices.tolist(), "logprobs": [number(v) for v in top.values]})
    return {"text": text, "tokens": ids, "rows": rows, **greedy(model, ids, arguments.continuation)}


@torch.no_grad()
def greedy(model, ids, count):
    """Continues past end tokens: what follows is arithmetic, not conversation."""
    tokens, gaps = [], []
    output = model(torch.tensor([ids]), use_cache=True)
    for _ in range(count):
        top = torch.topk(output.logits[0, -1], 2)
        tokens.append(top.indices[0].item())
        gaps.append(number(top.values[0] - top.values[1]))
        output = model(torch.tensor([tokens[-1:]]), past_key_values=output.past_key_values,
                       use_cache=True)
    return {"greedy": tokens, "gaps": gaps}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("out", help="a file name, for the folder of this script")
    parser.add_argument("--positions", type=int, default=16)
    parser.add_argument("--continuation", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    path = arguments.gguf
    torch.set_num_threads(arguments.threads)
    where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    recorded = []
    for text, ids in prompts(tokenizer):
        prompt = record(model, text, ids, arguments)
        recorded.append(prompt)
        print(f'{len(ids):4} tokens, smallest gap {min(prompt["gaps"]):.4f}:',
              tokenizer.decode(prompt["greedy"])[:70].replace("\n", " "), flush=True)
    lines = ",\n".join(json.dumps(p, ensure_ascii=False, separators=(",", ":")) for p in recorded)
    out = pathlib.Path(__file__).with_name(arguments.out)
    out.write_text(f'{{"model":"{path.name}","prompts":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
