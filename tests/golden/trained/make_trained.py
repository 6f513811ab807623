#!/usr/bin/env python3
"""Trains a small byte-level Llama, and writes it with texts that it has not seen.

    python tests/golden/trained/make_trained.py [--minutes 15] [--threads 2]

What quantisation costs can only be told of a model that was trained, and that does not lie on some
format's grid already; the real models at hand are GGUF files of four bits. This one learns Python
from the sources of the standard library. Widths are multiples of 256, so that every format of GGUF
fits. Writes config.json, two shards in bfloat16 and texts.json, tokens being bytes. The weights are
committed: figures in tests/bench/README.md are about those. Needs torch and transformers.
"""
import argparse
import json
import math
import pathlib
import sysconfig
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
CONFIG = dict(
    vocab_size=256, hidden_size=256, intermediate_size=256, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=64, max_position_embeddings=512,
    rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
HELD_OUT = ["bisect.py", "calendar.py", "colorsys.py", "contextlib.py", "graphlib.py", "heapq.py",
            "keyword.py", "queue.py", "shlex.py", "statistics.py", "textwrap.py", "zipapp.py"]
CONTEXT, BATCH, RATE = 192, 24, 4e-3
TEXT_BYTES = 192


def sources():
    """The bytes to learn, and those of the files held out."""
    folder = pathlib.Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py")) + sorted(folder.glob("[a-su-z]*/*.py"))
    learned = b"".join(f.read_bytes() for f in files if f.name not in HELD_OUT and "site-" not in str(f))
    return torch.tensor(list(learned), dtype=torch.long), [folder / name for name in HELD_OUT]


def batch(data, generator):
    at = torch.randint(len(data) - CONTEXT, (BATCH,), generator=generator)
    return torch.stack([data[i:i + CONTEXT] for i in at])


def train(model, data, minutes):
    generator = torch.Generator().manual_seed(7)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05)
    start, step, done = time.time(), 0, 0.0
    while done < 1:
        done = (time.time() - start) / (60 * minutes)
        rate = RATE * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        tokens = batch(data, generator)
        loss = model(tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 25 == 0:
            print(f"{step:5} {done:6.1%} {loss.item() / math.log(2):.3f} bits a byte", flush=True)
        step += 1


def write(model, held_out):
    model.to(torch.bfloat16).save_pretrained(HERE, max_shard_size="900KB")
    (HERE / "generation_config.json").unlink(missing_ok=True)
    texts = [list(path.read_bytes()[1000:1000 + TEXT_BYTES]) for path in held_out]
    lines = ",\n".join(json.dumps({"tokens": t, "greedy": []}, separators=(",", ":"))
                       for t in texts if len(t) == TEXT_BYTES)
    (HERE / "texts.json").write_text(f'{{"prompts":[\n{lines}\n]}}\n')
    tokens = torch.tensor([t for t in texts if len(t) == TEXT_BYTES])
    with torch.no_grad():
        loss = model.float()(tokens, labels=tokens).loss.item()
    print(f"held out: {loss / math.log(2):.3f} bits a byte in {tokens.numel()} bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(7)
    data, held_out = sources()
    print(f"{len(data)} bytes to learn")
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    print(f"{sum(p.numel() for p in model.parameters())} weights")
    train(model, data, arguments.minutes)
    write(model, held_out)


if __name__ == "__main__":
    main()
