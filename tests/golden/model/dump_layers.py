#!/usr/bin/env python3
"""Finds where two runs of a model part, layer by layer.

    baton-worker dump --model DIR --tokens 1,2,3 --output ours.safetensors
    python tests/golden/model/dump_layers.py hf DIR --tokens 1,2,3 --output theirs.safetensors
    python tests/golden/model/dump_layers.py compare ours.safetensors theirs.safetensors

`hf` runs transformers in float32 with hooks on the modules that make what `baton-worker dump` shows.
`compare` takes any two dumps, ours of two formats too, and names the first result that differs.
"""
import argparse
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

IN_LAYER = ["attention_input", "qkv", "attended", "after_attention", "mlp_input", "inner", "output"]


def first(value):
    return value[0] if isinstance(value, tuple) else value


class Recorder:
    def __init__(self):
        self.values = {}

    def keep(self, name, value):
        value = first(value)
        self.values[name] = value.detach().float().reshape(-1, value.shape[-1]).contiguous()

    def output(self, module, name):
        module.register_forward_hook(lambda m, a, out: self.keep(name, out))

    def input(self, module, name):
        def hook(m, args, kwargs):
            self.keep(name, args[0] if args else kwargs["hidden_states"])
        module.register_forward_pre_hook(hook, with_kwargs=True)


def attach(model, recorder):
    base = model.model
    recorder.input(base.layers[0], "embedding")
    for index, layer in enumerate(base.layers):
        attention, mlp = layer.self_attn, layer.mlp
        recorder.input(attention, f"{index}.attention_input")
        if hasattr(attention, "qkv_proj"):
            recorder.output(attention.qkv_proj, f"{index}.qkv")
        elif hasattr(attention, "q_proj"):
            for part in "qkv":
                recorder.output(getattr(attention, f"{part}_proj"), f"{index}.{part}")
        recorder.input(attention.o_proj, f"{index}.attended")
        if hasattr(layer, "pre_feedforward_layernorm"):
            recorder.input(layer.pre_feedforward_layernorm, f"{index}.after_attention")
        elif hasattr(layer, "input_layernorm"):
            recorder.input(layer.post_attention_layernorm, f"{index}.after_attention")
        else:
            recorder.input(mlp, f"{index}.after_attention")
        recorder.input(mlp, f"{index}.mlp_input")
        if hasattr(mlp, "down_proj"):
            recorder.input(mlp.down_proj, f"{index}.inner")
        recorder.output(layer, f"{index}.output")
    recorder.output(base.norm, "final_norm")


@torch.no_grad()
def run_hf(args):
    from transformers import AutoModelForCausalLM
    path = pathlib.Path(args.model)
    where = ({"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
             if path.suffix == ".gguf" else {"pretrained_model_name_or_path": str(path)})
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    recorder = Recorder()
    attach(model, recorder)
    tokens = [int(t) for t in args.tokens.split(",")]
    recorder.keep("logits", model(torch.tensor([tokens])).logits)
    values = recorder.values
    for index in range(len(model.model.layers)):
        if f"{index}.q" in values:
            values[f"{index}.qkv"] = torch.cat([values.pop(f"{index}.{p}") for p in "qkv"], dim=1)
    save_file({n: v.clone() for n, v in values.items()}, args.output)


def order(name):
    if name == "embedding":
        return (-1, 0)
    if "." not in name:
        return (1 << 30, ["final_norm", "logits"].index(name))
    layer, part = name.split(".", 1)
    return (int(layer), IN_LAYER.index(part) if part in IN_LAYER else len(IN_LAYER))


def compare(args):
    ours, theirs = load_file(args.first), load_file(args.second)
    parted = None
    for name in sorted(ours.keys() & theirs.keys(), key=order):
        a, b = ours[name], theirs[name]
        if a.shape != b.shape:
            print(f"{name}: shapes {tuple(a.shape)} and {tuple(b.shape)}")
            parted = parted or name
            continue
        difference = ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item()
        row = (a - b).abs().amax(dim=1).argmax().item()
        wrong = not difference <= args.tolerance
        if wrong or args.all:
            print(f"{name}: relative difference {difference:.2g}, most at row {row}")
        parted = parted or (name if wrong else None)
    print(f"the runs part at {parted}" if parted else "the runs agree")
    return 1 if parted else 0


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    hf = commands.add_parser("hf")
    hf.add_argument("model")
    hf.add_argument("--tokens", required=True)
    hf.add_argument("--output", required=True)
    both = commands.add_parser("compare")
    both.add_argument("first")
    both.add_argument("second")
    both.add_argument("--tolerance", type=float, default=1e-4)
    both.add_argument("--all", action="store_true")
    args = parser.parse_args()
    sys.exit(run_hf(args) if args.command == "hf" else compare(args))


if __name__ == "__main__":
    main()
