#!/usr/bin/env python3
"""What frontend and router add to the time to first token, on a model so small that its own step is
no noise: 200 interleaved pairs against the worker's `Session`.        bar: median under 1 ms
usage: tests/bench/ttft_overhead.py [--pairs N] [--model DIRECTORY_OR_FILE]
Writes a two-layer Llama over bytes, starts worker, router and frontend on loopback, and runs
`ttft_overhead` against them. Run it when nothing else runs."""
import argparse
import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import serving  # noqa: E402

VOCAB, HIDDEN, INNER, LAYERS, HEADS, HEAD_DIM = 257, 64, 128, 2, 2, 32


def byte_alphabet():
    """GPT-2's printable stand-in of each byte."""
    following = iter(range(256, 512))
    return [chr(byte) if 33 <= byte <= 126 or (byte >= 161 and byte != 173) else chr(next(following))
            for byte in range(256)]


def write_tokenizer(folder):
    end = {"id": 256, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": False,
           "normalized": False, "special": True}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": [end], "normalizer": None, "post_processor": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                          "use_regex": True},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "merges": [],
                  "vocab": {char: byte for byte, char in enumerate(byte_alphabet())}}}))


def weight_shapes():
    yield "model.embed_tokens.weight", (VOCAB, HIDDEN)
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        for name, shape in {
                "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
                "self_attn.q_proj": (HEADS * HEAD_DIM, HIDDEN), "self_attn.k_proj": (HEADS * HEAD_DIM, HIDDEN),
                "self_attn.v_proj": (HEADS * HEAD_DIM, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * HEAD_DIM),
                "mlp.gate_proj": (INNER, HIDDEN), "mlp.up_proj": (INNER, HIDDEN),
                "mlp.down_proj": (HIDDEN, INNER)}.items():
            yield f"{prefix}{name}.weight", shape
    yield "model.norm.weight", (HIDDEN,)


def write_weights(folder):
    numbers = random.Random(1)
    header, data = {}, array.array("f")
    for name, shape in weight_shapes():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        begin = 4 * len(data)
        data.extend(numbers.gauss(0, 0.1) if len(shape) > 1 else 1.0 for _ in range(count))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, 4 * len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data.tobytes())


def write_model(folder):
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCAB,
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "head_dim": HEAD_DIM,
        "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "hidden_act": "silu", "tie_word_embeddings": True, "eos_token_id": 256}))
    write_tokenizer(folder)
    write_weights(folder)


def start(program, *flags):
    return subprocess.Popen([serving.BIN / program, *flags], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--model", help="default: a tiny random model")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tiny = options.model is None
        if tiny:
            write_model(pathlib.Path(folder))
        address = [f"127.0.0.1:{serving.free_port()}" for _ in range(6)]
        programs = [
            start("baton-worker", "--model", options.model or folder, "--served-model-name", "m",
                  "--listen", address[0], "--admin-listen", address[1]),
            start("baton-router", "--workers", address[0], "--listen", address[2],
                  "--admin-listen", address[3]),
            start("baton-frontend", "--routers", address[2], "--host", "127.0.0.1", "--port",
                  address[4].split(":")[1], "--admin-listen", address[5])]
        url = f"http://{address[4]}"
        try:
            serving.eventually(lambda: serving.healthy(url), "frontend not ready")
            vocabulary = ["--vocab-begin", "0", "--vocab-end", "256"] if tiny else []
            subprocess.run([serving.BIN / "ttft_overhead", "--worker", address[0], "--url", url,
                            "--pairs", str(options.pairs), *vocabulary], check=True, timeout=300)
        finally:
            for program in reversed(programs):
                program.terminate()
            for program in programs:
                program.wait(timeout=30)


main()
