#!/usr/bin/env python3
"""Writes small checkpoints in the quantised formats of safetensors, and the floats they stand for.

    python tests/golden/quantized/make_golden.py

A folder for each format: config.json with the quantization_config, model.safetensors as a quantiser
writes it, expected.safetensors with what dequantisation gives in float32. Codes and scales are
random. What compressed-tensors can pack and unpack is packed by it; the others follow their
formats' definitions (AutoGPTQ, AutoAWQ, DeepSeek-V3's fp8), written out in torch. Needs torch,
safetensors and compressed_tensors; the test that reads the result needs none of them.
"""
import json
import pathlib

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
OUT, IN = 40, 128
g = torch.Generator().manual_seed(4)


def ints(low, high, *shape):
    return torch.randint(low, high + 1, shape, generator=g)


def scales(*shape, dtype=torch.float16):
    return (torch.rand(*shape, generator=g) * 0.02 + 0.001).to(dtype)


def spread(grid, rows, cols):
    """A grid of scales over the whole weight."""
    r, c = -(-rows // grid.shape[0]), -(-cols // grid.shape[1])
    return grid.float().repeat_interleave(r, 0).repeat_interleave(c, 1)[:rows, :cols]


def write(name, config, tensors, expected, module="model.layers.0.mlp.up_proj"):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(
        {"architectures": ["LlamaForCausalLM"], "eos_token_id": 2, "quantization_config": config}) + "\n")
    plain = {"model.norm.weight": torch.ones(8)}
    save_file({f"{module}.{k}": v.contiguous() for k, v in tensors.items()} | plain,
              folder / "model.safetensors")
    save_file({f"{module}.weight": expected.float().contiguous()} | plain,
              folder / "expected.safetensors")


def compressed(fmt, **weights):
    return {"quant_method": "compressed-tensors", "format": fmt, "ignore": ["lm_head"],
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def pack_quantized(name, bits, group, symmetric, actorder):
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    q = ints(low, high, OUT, IN)
    s = scales(OUT, IN // group, dtype=torch.bfloat16)
    z = torch.zeros(OUT, IN // group, dtype=torch.int64)
    tensors = {"weight_packed": pack_to_int32(q.to(torch.int8), bits), "weight_scale": s,
               "weight_shape": torch.tensor([OUT, IN])}
    if not symmetric:
        z = ints(low, high, OUT, IN // group)
        tensors["weight_zero_point"] = pack_to_int32(z.to(torch.int8), bits, packed_dim=0)
    groups = torch.arange(IN) // group
    if actorder:
        groups = groups[torch.randperm(IN, generator=g)]
        tensors["weight_g_idx"] = groups.to(torch.int32)
    expected = s.float()[:, groups] * (q - z[:, groups]).float()
    write(name, compressed("pack-quantized", num_bits=bits, type="int", symmetric=symmetric,
                           strategy="group", group_size=group), tensors, expected)


def int_quantized():
    q, s = ints(-128, 127, OUT, IN), scales(OUT, 1, dtype=torch.bfloat16)
    write("int8_channel", compressed("int-quantized", num_bits=8, type="int", symmetric=True,
                                     strategy="channel"),
          {"weight": q.to(torch.int8), "weight_scale": s, "input_scale": torch.ones(1)},
          spread(s, OUT, IN) * q.float())


def fp8(name, config, grid, key="weight_scale", rows=OUT, cols=IN):
    w = (torch.randn(rows, cols, generator=g) * 60).to(torch.float8_e4m3fn)
    write(name, config, {"weight": w, key: grid}, (spread if grid.numel() in (1, rows) else spread_blocks)(
        grid, rows, cols) * w.float())


def spread_blocks(grid, rows, cols):
    return grid.float().repeat_interleave(128, 0).repeat_interleave(128, 1)[:rows, :cols]


def nibbles(values, order):
    """Eight columns to a word; nibble i holds column order[i]."""
    rows, cols = values.shape
    words = torch.zeros(rows, cols // 8, dtype=torch.int64)
    for i, place in enumerate(order):
        words |= values[:, place::8] << (4 * i)
    return words.to(torch.int32)


def gptq(name, bits, group, desc_act, v1, symmetric):
    per = 32 // bits
    top = (1 << bits) - 1
    q = ints(0, top, IN, OUT)
    z = torch.full((IN // group, OUT), 1 << bits - 1) if symmetric else ints(1, top, IN // group, OUT)
    s = scales(IN // group, OUT)
    g_idx = torch.arange(IN) // group
    if desc_act:
        g_idx = g_idx[torch.randperm(IN, generator=g)]
    stored = z - 1 if v1 else z
    qweight, qzeros = torch.zeros(IN // per, OUT, dtype=torch.int64), torch.zeros(
        IN // group, OUT // per, dtype=torch.int64)
    for i in range(per):
        qweight |= q[i::per] << (bits * i)
        qzeros |= stored[:, i::per] << (bits * i)
    expected = s.float()[g_idx] * (q - z[g_idx]).float()
    write(name, {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": desc_act,
                 "sym": symmetric, "checkpoint_format": "gptq" if v1 else "gptq_v2"},
          {"qweight": qweight.to(torch.int32), "qzeros": qzeros.to(torch.int32), "scales": s,
           "g_idx": g_idx.to(torch.int32), "bias": torch.zeros(OUT, dtype=torch.float16)}, expected.T)


def awq():
    group, order = 64, [0, 2, 4, 6, 1, 3, 5, 7]
    q, z, s = ints(0, 15, IN, OUT), ints(0, 15, IN // group, OUT), scales(IN // group, OUT)
    groups = torch.arange(IN) // group
    write("awq", {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True,
                  "version": "gemm"},
          {"qweight": nibbles(q, order), "qzeros": nibbles(z, order), "scales": s},
          (s.float()[groups] * (q - z[groups]).float()).T)


def main():
    pack_quantized("w4a16_group", 4, 32, True, False)
    pack_quantized("w4a16_asymmetric", 4, 64, False, False)
    pack_quantized("w4a16_actorder", 4, 32, True, True)
    pack_quantized("w8a16_group", 8, 32, True, False)
    int_quantized()
    fp8("fp8_tensor", compressed("float-quantized", num_bits=8, type="float", strategy="tensor"),
        scales(1, 1, dtype=torch.float32))
    fp8("fp8_channel", compressed("float-quantized", num_bits=8, type="float", strategy="channel"),
        scales(OUT, 1, dtype=torch.bfloat16))
    fp8("fp8_blocks", {"quant_method": "fp8", "weight_block_size": [128, 128],
                       "activation_scheme": "dynamic"},
        scales(2, 2, dtype=torch.float32), "weight_scale_inv", 136, 192)
    fp8("fp8_block_structure", compressed("float-quantized", num_bits=8, type="float",
                                          strategy="block", block_structure=[128, 128]),
        scales(2, 1, dtype=torch.bfloat16), "weight_scale", 192, 96)
    gptq("gptq", 4, 32, False, True, True)
    gptq("gptq_v2_asymmetric", 4, 32, False, False, False)
    gptq("gptq_desc_act", 4, 32, True, True, False)
    gptq("gptq_8bit", 8, 64, False, True, True)
    awq()


if __name__ == "__main__":
    main()
