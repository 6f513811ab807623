#!/usr/bin/env python3
"""Records what Hugging Face transformers computes for a real model.

    python tests/golden/model/make_smollm2.py ~/.cache/baton/models/SmolLM2-135M-Instruct.Q4_1.gguf
    python tests/golden/model/make_smollm2.py --out qwen2.5-coder.json \
        ~/.cache/baton/models/qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf

transformers dequantises the GGUF file to float32, so both sides multiply the same numbers. Needs
torch, transformers and gguf; the test that reads the result needs none of them.
"""
import argparse
import json
import pathlib

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

POSITIONS = 16
TOP = 20
CONTINUATION = 64

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


def positions(count):
    """16 positions, evenly spread, the last one included."""
    return [round((i + 1) * count / POSITIONS) - 1 for i in range(POSITIONS)]


def number(value):
    return float(f"{value:.8g}")


@torch.no_grad()
def record(model, text, ids):
    logits = model(torch.tensor([ids])).logits[0].double()
    rows = []
    for position in positions(len(ids)):
        logsumexp = torch.logsumexp(logits[position], 0)
        top = torch.topk(logits[position] - logsumexp, TOP)
        rows.append({"position": position, "logsumexp": number(logsumexp),
                     "tokens": top.indices.tolist(), "logprobs": [number(v) for v in top.values]})
    return {"text": text, "tokens": ids, "rows": rows, **greedy(model, ids)}


@torch.no_grad()
def greedy(model, ids):
    """Continues past end tokens: what follows is arithmetic, not conversation."""
    tokens, gaps = [], []
    output = model(torch.tensor([ids]), use_cache=True)
    for _ in range(CONTINUATION):
        top = torch.topk(output.logits[0, -1], 2)
        tokens.append(top.indices[0].item())
        gaps.append(number(top.values[0] - top.values[1]))
        output = model(torch.tensor([tokens[-1:]]), past_key_values=output.past_key_values,
                       use_cache=True)
    return {"greedy": tokens, "gaps": gaps}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gguf", type=pathlib.Path)
    parser.add_argument("--out", default="smollm2.json")
    arguments = parser.parse_args()
    path = arguments.gguf
    torch.set_num_threads(2)
    where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    golden = {"model": path.name,
              "prompts": [record(model, text, ids) for text, ids in prompts(tokenizer)]}
    out = pathlib.Path(__file__).with_name(arguments.out)
    lines = ",\n".join(json.dumps(p, ensure_ascii=False, separators=(",", ":"))
                       for p in golden["prompts"])
    out.write_text(f'{{"model":"{golden["model"]}","prompts":[\n{lines}\n]}}\n')
    for p in golden["prompts"]:
        print(f'{len(p["tokens"]):4} tokens, smallest gap {min(p["gaps"]):.4f}:',
              tokenizer.decode(p["greedy"])[:70].replace("\n", " "))


if __name__ == "__main__":
    main()
