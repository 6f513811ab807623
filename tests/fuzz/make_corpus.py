#!/usr/bin/env python3
"""Writes tests/fuzz/corpus: small valid files of each kind, for the fuzzers to damage.

Needs tokenizers for those of tokenizer.json (the generator of the differential test). Configurations are those of the
golden models."""
import base64
import json
import pathlib
import random
import struct
import sys

HERE = pathlib.Path(__file__).parent
TESTS = HERE.parent
sys.path.insert(0, str(TESTS / "differential" / "tokenizer"))
DTYPE_BYTES = {"F32": 4, "F16": 2, "I32": 4, "I64": 8, "I8": 1, "F8_E4M3": 1}
SIZE = 8  # of everything in the small model


def write(folder, name, data):
    path = HERE / "corpus" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_lines(folder, name, documents):
    lines = [json.dumps(document, ensure_ascii=False) for document in documents]
    write(folder, name, ("\n".join(lines) + "\n").encode())


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def strings(items):
    return struct.pack("<IQ", 8, len(items)) + b"".join(map(text, items))


def tokenizer_keys(model):
    tokens = ["<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "▁a", "<0x41>", "Ġ"]
    types, scores = [2, 3, 3, 1, 1, 1, 1, 1, 6, 1], [-float(i) for i in range(10)]
    return [("tokenizer.ggml.model", 8, text(model)), ("tokenizer.ggml.tokens", 9, strings(tokens)),
            ("tokenizer.ggml.token_type", 9, struct.pack(f"<IQ{len(types)}i", 5, len(types), *types)),
            ("tokenizer.ggml.scores", 9, struct.pack(f"<IQ{len(scores)}f", 6, len(scores), *scores)),
            ("tokenizer.ggml.merges", 9, strings(["a b"])),
            ("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 1)),
            ("tokenizer.ggml.unknown_token_id", 4, struct.pack("<I", 0))]


def gguf(keys, tensors):
    """`tensors`: (name, dims, type, bytes)."""
    keys = [("general.architecture", 8, text("llama"))] + keys
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(text(key) + struct.pack("<I", kind) + data for key, kind, data in keys)
    data = b""
    for name, dims, kind, values in tensors:
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, len(data))
        data += values + b"\0" * (-len(values) % 32)
    return head + b"\0" * (-len(head) % 32) + data


def llama_gguf():
    number = lambda key, value: ("llama." + key, 4, struct.pack("<I", value))
    keys = [number("embedding_length", SIZE), number("feed_forward_length", SIZE), number("block_count", 1),
            number("attention.head_count", 1), number("context_length", 16), number("vocab_size", SIZE),
            ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
            ("llama.rope.freq_base", 6, struct.pack("<f", 1e4))]
    square = lambda name: (name, [SIZE, SIZE], 0, bytes(4 * SIZE * SIZE))
    line = lambda name: (name, [SIZE], 0, bytes(4 * SIZE))
    tensors = [square("token_embd.weight"), line("output_norm.weight"), line("blk.0.attn_norm.weight"),
               line("blk.0.ffn_norm.weight")]
    tensors += [square(f"blk.0.{part}.weight") for part in
                ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")]
    return gguf(keys, tensors)


def safetensors(tensors):
    """`tensors`: (name, dtype, shape, the value of every byte)."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, dtype, shape, value in tensors:
        size = DTYPE_BYTES[dtype]
        for dim in shape:
            size *= dim
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += value if isinstance(value, bytes) else bytes([value]) * size
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def safetensors_files():
    square = lambda name: (name + ".weight", "F32", [SIZE, SIZE], 0)
    line = lambda name: (name + ".weight", "F32", [SIZE], 0)
    layer = "model.layers.0."
    yield "llama", [square("model.embed_tokens"), square("lm_head"), line("model.norm"),
                    line(layer + "input_layernorm"), line(layer + "post_attention_layernorm"),
                    *(square(layer + "self_attn." + part) for part in ("q_proj", "k_proj", "v_proj", "o_proj")),
                    *(square(layer + "mlp." + part) for part in ("gate_proj", "up_proj", "down_proj"))]
    order = struct.pack("<64i", *(i // 32 for i in range(64)))
    yield "gptq", [("a.qweight", "I32", [8, 8], 0x5A), ("a.qzeros", "I32", [2, 1], 0x77),
                   ("a.scales", "F16", [2, 8], 0x3C), ("a.g_idx", "I32", [64], order)]
    yield "gptq_five_outputs", [("a.qweight", "I32", [8, 5], 0x5A), ("a.qzeros", "I32", [2, 0], 0),
                                ("a.scales", "F16", [2, 5], 0x3C)]
    yield "awq", [("a.qweight", "I32", [64, 1], 0x5A), ("a.qzeros", "I32", [2, 1], 0x77),
                  ("a.scales", "F16", [2, 8], 0x3C)]
    yield "fp8", [("a.weight", "F8_E4M3", [4, 6], 0x38), ("a.weight_scale_inv", "F32", [2, 2], 0x3F),
                  ("a.input_scale", "F32", [], 0x3F)]
    yield "compressed", [("a.weight_packed", "I32", [8, 8], 0x5A), ("a.weight_scale", "F16", [8, 2], 0x3C),
                         ("a.weight_zero_point", "I32", [1, 2], 0x77),
                         ("a.weight_shape", "I64", [2], struct.pack("<2q", 8, 64)),
                         ("b.weight", "I8", [4, 32], 3), ("b.weight_scale", "F32", [4, 1], 0x3F)]


def configurations():
    small = {"architectures": ["LlamaForCausalLM"], "hidden_size": SIZE, "intermediate_size": SIZE, "vocab_size": SIZE,
             "num_hidden_layers": 1, "num_attention_heads": 1, "rms_norm_eps": 1e-5, "rope_theta": 1e4,
             "eos_token_id": [1, 2], "tie_word_embeddings": False}
    yield small
    for quantization in [{"quant_method": "gptq", "bits": 4}, {"quant_method": "awq", "bits": 4},
                         {"quant_method": "fp8", "weight_block_size": [2, 3]},
                         {"quant_method": "compressed-tensors", "format": "pack-quantized"}]:
        yield {**small, "quantization_config": quantization}
    golden = TESTS / "golden" / "model"
    for path in sorted([*golden.glob("architectures/*.json"), *golden.glob("tiny_*.json")]):
        config = json.loads(path.read_text()).get("config")
        if config:
            yield config


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, data):
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    if isinstance(data, float):
        return varint(number << 3 | 5) + struct.pack("<f", data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def sentence_piece(kind, charsmap):
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("<u>", 0.0, 4), *(
        (f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)), ("▁", -5.0, 1), ("▁a", -1.0, 1), ("a", -6.0, 1),
        ("b", -7.0, 1), ("ab", -2.0, 1), ("▁ab", -3.0, 1)]
    body = b"".join(field(1, field(1, piece.encode()) + field(2, score) + field(3, number))
                    for piece, score, number in pieces)
    normalizer = field(1, b"identity") + field(2, charsmap) + field(3, 1) + field(4, 1)
    return body + field(2, field(3, kind) + field(35, 1)) + field(3, normalizer)


def documents(compare):
    """tokenizer.json files of the differential matrix, small ones of many kinds."""
    kinds = set()
    for number in range(400):
        document = compare.Matrix(random.Random(number)).document()
        kind = (document["model"]["type"], (document["normalizer"] or {}).get("type"),
                (document["decoder"] or {}).get("type"))
        if len(json.dumps(document)) < 5000 and kind not in kinds and len(kinds) < 40:
            kinds.add(kind)
            yield document


def main():
    import compare
    write("gguf", "llama.gguf", llama_gguf())
    for model in ["gpt2", "llama", "t5", "bert"]:
        write("gguf", f"tokenizer_{model}.gguf", gguf(tokenizer_keys(model), []))
    charsmap = compare.charsmap({"a": "b"})
    for name, kind, table in [("unigram", 1, charsmap), ("bpe", 2, b"")]:
        write("sentence_piece", f"{name}.model", sentence_piece(kind, table))
    encoded = [base64.b64encode(bytes([byte])).decode() for byte in range(256)] + ["YWI=", "ICBh"]
    write("byte_rank", "small.tiktoken", "".join(f"{item} {i}\n" for i, item in enumerate(encoded)).encode())
    write("byte_rank", "tekken.json", json.dumps({
        "config": {"pattern": "\\s+|\\S+", "default_vocab_size": 268, "default_num_special_tokens": 10},
        "vocab": [{"rank": i, "token_bytes": item, "token_str": None} for i, item in enumerate(encoded)]}).encode())
    for name, tensors in safetensors_files():
        write("safetensors", name + ".safetensors", safetensors(tensors))
    write_lines("config", "configurations.jsonl", configurations())
    write_lines("tokenizer_json", "documents.jsonl", documents(compare))


if __name__ == "__main__":
    main()
