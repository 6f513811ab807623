"""Weights in the quantised formats of safetensors, and the floats that they stand for.

    weight = Gptq(4, 32, desc_act=True).make(rows, cols)
    weight.tensors       # what a quantiser writes below the module's name
    weight.floats        # what dequantisation gives, [rows, cols]

`make` draws codes and scales at random; `quantize` rounds given floats to the nearest code, each
format with its own scales. What compressed-tensors can pack is packed by it; the others follow their
formats' definitions (AutoGPTQ, AutoAWQ, DeepSeek-V3's fp8), written out in torch.
"""
import dataclasses

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

g = torch.Generator().manual_seed(4)
FP8_MAX = 448.0


@dataclasses.dataclass
class Weight:
    tensors: dict
    floats: torch.Tensor


def ints(low, high, *shape):
    return torch.randint(low, high + 1, shape, generator=g)


def scales(*shape, dtype=torch.float16, most=0.021):
    return ((torch.rand(*shape, generator=g) * 0.02 + 0.001) * (most / 0.021)).to(dtype)


def compressed(fmt, **weights):
    return {"quant_method": "compressed-tensors", "format": fmt, "quantization_status": "compressed",
            "ignore": ["lm_head"],
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def affine(floats, bits, group, symmetric, dtype):
    """Codes from 0, scales and zero points of each row and group, rounded to nearest."""
    rows, cols = floats.shape
    top = (1 << bits) - 1
    parts = floats.reshape(rows, cols // group, group)
    if symmetric:
        s = parts.abs().amax(-1) / ((1 << bits - 1) - 0.5)
        z = torch.full(s.shape, 1 << bits - 1)
    else:
        low, high = parts.amin(-1).clamp(max=0), parts.amax(-1).clamp(min=0)
        s = (high - low) / top
        z = (-low / s.clamp(min=1e-12)).round().clamp(1, top).long()  # v1 of GPTQ stores less one
    s = s.clamp(min=1e-8).to(dtype)
    q = ((parts / s.float()[..., None]).round() + z[..., None]).clamp(0, top).long()
    return q.reshape(rows, cols), s, z


class PackQuantized:
    """compressed-tensors, several codes to a word; groups along the inputs."""

    def __init__(self, bits, group, symmetric=True, actorder=False):
        self.bits, self.group, self.symmetric, self.actorder = bits, group, symmetric, actorder
        self.config = compressed("pack-quantized", num_bits=bits, type="int", symmetric=symmetric,
                                 strategy="group", group_size=group)
        if actorder:
            self.config["config_groups"]["group_0"]["weights"]["actorder"] = "group"

    def make(self, rows, cols, most=0.021):
        low, high = -(1 << self.bits - 1), (1 << self.bits - 1) - 1
        q = ints(low, high, rows, cols)
        s = scales(rows, cols // self.group, dtype=torch.bfloat16, most=most)
        z = torch.zeros(rows, cols // self.group, dtype=torch.int64)
        if not self.symmetric:
            z = ints(low, high, rows, cols // self.group)
        return self.pack(q, s, z)

    def quantize(self, floats):
        q, s, z = affine(floats, self.bits, self.group, self.symmetric, torch.bfloat16)
        return self.pack(q - (1 << self.bits - 1), s, z - (1 << self.bits - 1))

    def pack(self, q, s, z):
        tensors = {"weight_packed": pack_to_int32(q.to(torch.int8), self.bits), "weight_scale": s,
                   "weight_shape": torch.tensor(list(q.shape))}
        if not self.symmetric:
            tensors["weight_zero_point"] = pack_to_int32(z.to(torch.int8), self.bits, packed_dim=0)
        groups = torch.arange(q.shape[1]) // self.group
        if self.actorder:
            groups = groups[torch.randperm(q.shape[1], generator=g)]
            tensors["weight_g_idx"] = groups.to(torch.int32)
        return Weight(tensors, s.float()[:, groups] * (q - z[:, groups]).float())


class IntQuantized:
    """compressed-tensors, INT8 with a scale for each output."""

    config = compressed("int-quantized", num_bits=8, type="int", symmetric=True, strategy="channel")

    def make(self, rows, cols, most=0.021):
        return self.pack(ints(-128, 127, rows, cols),
                         scales(rows, 1, dtype=torch.bfloat16, most=most))

    def quantize(self, floats):
        s = (floats.abs().amax(1, keepdim=True) / 127.5).bfloat16()
        return self.pack((floats / s.float()).round().clamp(-128, 127).long(), s)

    def pack(self, q, s):
        return Weight({"weight": q.to(torch.int8), "weight_scale": s, "input_scale": torch.ones(1)},
                      s.float() * q.float())


class Fp8:
    """E4M3 with a scale for the tensor, each channel, or each block of 128 x 128."""

    def __init__(self, strategy):
        self.strategy = strategy
        self.key = "weight_scale_inv" if strategy == "deepseek" else "weight_scale"
        self.blocks = strategy in ("deepseek", "block")
        self.dtype = torch.float32 if strategy in ("tensor", "deepseek") else torch.bfloat16
        more = {"block_structure": [128, 128]} if strategy == "block" else {}
        self.config = compressed("float-quantized", num_bits=8, type="float", strategy=strategy, **more)
        if strategy == "deepseek":
            self.config = {"quant_method": "fp8", "weight_block_size": [128, 128],
                           "activation_scheme": "dynamic"}

    def grid(self, rows, cols):
        if self.blocks:
            return -(-rows // 128), -(-cols // 128)
        return (1, 1) if self.strategy == "tensor" else (rows, 1)

    def spread(self, s, rows, cols):
        if not self.blocks:
            return s.float().expand(rows, cols)
        return s.float().repeat_interleave(128, 0).repeat_interleave(128, 1)[:rows, :cols]

    def make(self, rows, cols, most=0.021):
        s = scales(*self.grid(rows, cols), dtype=self.dtype, most=most)
        return self.pack(torch.randn(rows, cols, generator=g) * 60, s)

    def quantize(self, floats):
        rows, cols = floats.shape
        if self.blocks:
            up, across = self.grid(rows, cols)
            largest = torch.tensor([[floats[128 * i:128 * i + 128, 128 * j:128 * j + 128].abs().max()
                                     for j in range(across)] for i in range(up)])
        else:
            largest = floats.abs().amax(1, keepdim=True)
            if self.strategy == "tensor":
                largest = largest.amax().reshape(1, 1)
        s = (largest / FP8_MAX).to(self.dtype)
        return self.pack((floats / self.spread(s, rows, cols)).clamp(-FP8_MAX, FP8_MAX), s)

    def pack(self, numbers, s):
        w = numbers.to(torch.float8_e4m3fn)
        return Weight({"weight": w, self.key: s}, self.spread(s, *w.shape) * w.float())


class Gptq:
    """AutoGPTQ: words of consecutive inputs, outputs side by side."""

    def __init__(self, bits, group, desc_act=False, v1=False, symmetric=True):
        self.bits, self.group, self.desc_act, self.v1, self.symmetric = bits, group, desc_act, v1, symmetric
        self.config = {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": desc_act,
                       "sym": symmetric, "checkpoint_format": "gptq" if v1 else "gptq_v2"}

    def make(self, rows, cols, most=0.021):
        top = (1 << self.bits) - 1
        q = ints(0, top, cols, rows)
        z = torch.full((cols // self.group, rows), 1 << self.bits - 1)
        if not self.symmetric:
            z = ints(1, top, cols // self.group, rows)
        return self.pack(q, scales(cols // self.group, rows, most=most), z)

    def quantize(self, floats):
        q, s, z = affine(floats, self.bits, self.group, self.symmetric, torch.float16)
        return self.pack(q.T, s.T, z.T)

    def pack(self, q, s, z):
        cols, rows = q.shape
        per = 32 // self.bits
        g_idx = torch.arange(cols) // self.group
        if self.desc_act:
            g_idx = g_idx[torch.randperm(cols, generator=g)]
        stored = z - 1 if self.v1 else z
        qweight = torch.zeros(cols // per, rows, dtype=torch.int64)
        qzeros = torch.zeros(cols // self.group, rows // per, dtype=torch.int64)
        for i in range(per):
            qweight |= q[i::per] << (self.bits * i)
            qzeros |= stored[:, i::per] << (self.bits * i)
        floats = s.float()[g_idx] * (q - z[g_idx]).float()
        return Weight({"qweight": qweight.to(torch.int32), "qzeros": qzeros.to(torch.int32),
                       "scales": s, "g_idx": g_idx.to(torch.int32)}, floats.T)


def nibbles(values):
    """Eight columns to a word, in AWQ's order."""
    rows, cols = values.shape
    words = torch.zeros(rows, cols // 8, dtype=torch.int64)
    for i, place in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
        words |= values[:, place::8] << (4 * i)
    return words.to(torch.int32)


class Awq:
    """AutoAWQ's GEMM layout."""

    def __init__(self, group):
        self.group = group
        self.config = {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True,
                       "version": "gemm"}

    def make(self, rows, cols, most=0.021):
        q, z = ints(0, 15, cols, rows), ints(0, 15, cols // self.group, rows)
        return self.pack(q, scales(cols // self.group, rows, most=most), z)

    def quantize(self, floats):
        q, s, z = affine(floats, 4, self.group, False, torch.float16)
        return self.pack(q.T, s.T, z.T)

    def pack(self, q, s, z):
        groups = torch.arange(q.shape[0]) // self.group
        return Weight({"qweight": nibbles(q), "qzeros": nibbles(z), "scales": s},
                      (s.float()[groups] * (q - z[groups]).float()).T)
