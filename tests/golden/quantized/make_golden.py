#!/usr/bin/env python3
"""Writes small checkpoints in the quantised formats of safetensors, and the floats they stand for.

    python tests/golden/quantized/make_golden.py

A folder for each format: config.json with the quantization_config, model.safetensors as a quantiser
writes it, expected.safetensors with what dequantisation gives in float32. The formats themselves are
in quantized_formats.py. Needs torch, safetensors and compressed_tensors; the test that reads the
result needs none of them.
"""
import json
import pathlib

import torch
from quantized_formats import Awq, Fp8, Gptq, IntQuantized, PackQuantized
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
OUT, IN = 40, 128
MODULE = "model.layers.0.mlp.up_proj"


def write(name, kind, rows=OUT, cols=IN):
    weight = kind.make(rows, cols)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(
        {"architectures": ["LlamaForCausalLM"], "eos_token_id": 2,
         "quantization_config": kind.config}) + "\n")
    plain = {"model.norm.weight": torch.ones(8)}
    tensors = dict(weight.tensors)
    if isinstance(kind, Gptq):  # as older quantisers write it
        tensors["bias"] = torch.zeros(rows, dtype=torch.float16)
    save_file({f"{MODULE}.{k}": v.contiguous() for k, v in tensors.items()} | plain,
              folder / "model.safetensors")
    save_file({f"{MODULE}.weight": weight.floats.float().contiguous()} | plain,
              folder / "expected.safetensors")


def main():
    write("w4a16_group", PackQuantized(4, 32))
    write("w4a16_asymmetric", PackQuantized(4, 64, symmetric=False))
    write("w4a16_actorder", PackQuantized(4, 32, actorder=True))
    write("w8a16_group", PackQuantized(8, 32))
    write("int8_channel", IntQuantized())
    write("fp8_tensor", Fp8("tensor"))
    write("fp8_channel", Fp8("channel"))
    write("fp8_blocks", Fp8("deepseek"), 136, 192)
    write("fp8_block_structure", Fp8("block"), 192, 96)
    write("gptq", Gptq(4, 32, v1=True))
    write("gptq_v2_asymmetric", Gptq(4, 32, symmetric=False))
    write("gptq_desc_act", Gptq(4, 32, desc_act=True, v1=True, symmetric=False))
    write("gptq_8bit", Gptq(8, 64, v1=True))
    write("awq", Awq(64))


if __name__ == "__main__":
    main()
