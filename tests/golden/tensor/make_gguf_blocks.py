#!/usr/bin/env python3
"""Records what the `gguf` package decodes from blocks of every GGUF type, as gguf_blocks.tsv.

    python tests/golden/tensor/make_gguf_blocks.py

A line is a type's name, the bytes of some blocks in a row, and the bytes of the floats in them
(little-endian), both in hexadecimal. Quants are random bytes; scales are finite, of both signs, zero and subnormal too.
Needs gguf and numpy; the test that reads the result needs neither.
"""
import pathlib

import gguf
import numpy as np

# Type -> where f16 numbers lie in a block; the others are random bytes.
HALVES = {
    "F32": [], "F16": [0], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "MXFP4": [],
}
SCALES = [0.0173, -0.00251, 5e-7, 0.0, 1.75, -6e-8, 0.000977, -31.5]


def blocks(name, random):
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = 16 if elements == 1 else 8 if elements < 256 else 3
    raw = random.integers(0, 256, (count, size), dtype=np.uint8)
    if name == "F32":
        raw = random.standard_normal(count).astype(np.float32).reshape(count, 1).view(np.uint8)
    if name == "BF16":
        raw[:, 1] &= 0xBF  # finite
    if name == "MXFP4":
        raw[:, 0] = [0, 1, 2, 100, 127, 130, 200, 250]  # powers of two
    for i in range(count):
        for offset in HALVES[name]:
            half = np.float16(SCALES[(i * 3 + offset) % len(SCALES)])
            raw[i, offset:offset + 2] = np.frombuffer(half.tobytes(), np.uint8)
    row = raw.reshape(1, -1)
    if name in ("F32", "F16"):
        row = row.view(np.float32 if name == "F32" else np.float16)
    return raw, gguf.dequantize(row, kind).astype(np.float32)


def main():
    random = np.random.default_rng(4)
    lines = []
    for name in HALVES:
        raw, values = blocks(name, random)
        assert np.isfinite(values).all(), name
        lines.append(f'{name}\t{raw.tobytes().hex()}\t{values.astype("<f4").tobytes().hex()}')
    pathlib.Path(__file__).with_name("gguf_blocks.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
