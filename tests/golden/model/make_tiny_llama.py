#!/usr/bin/env python3
"""Records what transformers computes for a tiny random Llama, as tiny_llama.json.

    python tests/golden/model/make_tiny_llama.py [--checkpoint DIR]

The weights come from a generator that tests/fakes/tiny_llama.cc repeats, so only the answers are
committed. Every weight is a multiple of a power of two with eight significant bits: f32, f16 and
bf16 files hold the same numbers. Shapes are odd on purpose: 3 query heads per key head, a query
width that is not the hidden size, nothing a multiple of 64, llama3 rope scaling that matters within
300 positions, an untied head.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

PROMPTS = [1, 17, 64, 300]

CONFIG = dict(
    vocab_size=261, hidden_size=72, intermediate_size=100, num_hidden_layers=2,
    num_attention_heads=6, num_key_value_heads=2, head_dim=32, max_position_embeddings=512,
    rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=None,
    rope_parameters={"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0,
                     "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 64})

MASK = (1 << 64) - 1


def mix(x):
    """splitmix64's finaliser over an array of uint64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def seed_of(name):
    """FNV-1a of the tensor's name."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def bytes_of(name, count):
    index = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mix(index + np.uint64(seed_of(name))) >> np.uint64(56)).astype(np.int64)


def weight(name, shape):
    values = bytes_of(name, int(np.prod(shape))) - 128
    if name.endswith("norm.weight"):
        return torch.tensor(1.0 + values / 512.0, dtype=torch.float32).bfloat16().float().reshape(shape)
    return torch.tensor(values / 512.0, dtype=torch.float32).reshape(shape)


def make_model(**changes):
    model = LlamaForCausalLM(LlamaConfig(**{**CONFIG, **changes})).float().eval()
    model.load_state_dict({n: weight(n, tuple(p.shape)) for n, p in model.state_dict().items()})
    return model


@torch.no_grad()
def record(model, count):
    tokens = (bytes_of(f"prompt {count}", count) % 256 + 3).tolist()
    logits = model(torch.tensor([tokens])).logits[0, -1]
    print(count, logits.abs().max().item(), torch.topk(logits, 3))
    return {"tokens": tokens, "logits": [float(f"{v:.8g}") for v in logits.tolist()]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", help="also write a Hugging Face directory")
    args = parser.parse_args()
    torch.set_num_threads(2)
    model = make_model()
    if args.checkpoint:
        model.save_pretrained(args.checkpoint)
    lines = ",\n".join(json.dumps(record(model, count), separators=(",", ":"))
                       for count in PROMPTS)
    biased = json.dumps(record(make_model(attention_bias=True, mlp_bias=True), 17),
                        separators=(",", ":"))
    out = pathlib.Path(__file__).with_name("tiny_llama.json")
    out.write_text(f'{{"prompts":[\n{lines}\n],"biased":[\n{biased}\n]}}\n')


if __name__ == "__main__":
    main()
