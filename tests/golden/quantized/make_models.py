#!/usr/bin/env python3
"""Writes tiny models in quantised formats, and what transformers computes for their weights.

    python tests/golden/quantized/make_models.py [name ...]

A folder models/<name> for each: config.json and model.safetensors as a quantiser writes them, or
model.gguf, whose tensors have all the types there are; and golden.json, the last logits of some
prompts and a greedy continuation. Codes and scales are random, the rest comes from the generator of
make_tiny_llama.py. transformers is given the weights dequantised; what it can load itself
(compressed-tensors) is held against that here. Needs torch, transformers, safetensors,
compressed_tensors and gguf; the test that reads the results needs none of them.
"""
import argparse
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers
from quantized_formats import Awq, Fp8, Gptq, IntQuantized, PackQuantized, g
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "model"))
from gguf_keys import add_sizes, unpaired  # noqa: E402
from make_tiny_llama import PROMPTS, bytes_of, weight  # noqa: E402

HERE = pathlib.Path(__file__).parent / "models"
GREEDY = 16
DEVIATION = 0.12  # of weights

ROPE = {"rope_type": "default", "rope_theta": 10000.0}
COMMON = dict(vocab_size=135, max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1,
              eos_token_id=2, pad_token_id=None, tie_word_embeddings=False, rope_parameters=ROPE)
SMALL = dict(COMMON, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, head_dim=16)
BLOCKS = dict(COMMON, hidden_size=160, intermediate_size=192, num_hidden_layers=1,
              num_attention_heads=4, num_key_value_heads=2, head_dim=32)
LATENT = dict(COMMON, hidden_size=160, intermediate_size=192, moe_intermediate_size=64,
              num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, q_lora_rank=96,
              kv_lora_rank=64, qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=32,
              n_routed_experts=6, n_group=2, topk_group=1, num_experts_per_tok=2, n_shared_experts=1,
              routed_scaling_factor=2.5, norm_topk_prob=True, first_k_dense_replace=1,
              attention_bias=False)

# name: (class, configuration, format, standard deviation of its random codes)
MODELS = {
    "w4a16": ("Llama", SMALL, PackQuantized(4, 32), 4.6),
    "w4a16_asymmetric": ("Qwen2", SMALL, PackQuantized(4, 32, symmetric=False), 6.5),
    "w4a16_actorder": ("Llama", SMALL, PackQuantized(4, 32, actorder=True), 4.6),
    "w8a16": ("Llama", SMALL, PackQuantized(8, 32), 74),
    "int8": ("Qwen2", SMALL, IntQuantized(), 74),
    "fp8_tensor": ("Llama", SMALL, Fp8("tensor"), 60),
    "fp8_channel": ("Qwen2", dict(SMALL, tie_word_embeddings=True), Fp8("channel"), 60),
    "fp8_blocks": ("Llama", BLOCKS, Fp8("deepseek"), 60),
    "fp8_blocks_deepseek_v3": ("DeepseekV3", LATENT, Fp8("deepseek"), 60),
    "gptq": ("Llama", SMALL, Gptq(4, 32, v1=True), 4.6),
    "gptq_desc_act": ("Qwen2", SMALL, Gptq(4, 32, desc_act=True, v1=True, symmetric=False), 6.5),
    "gptq_8bit": ("Llama", SMALL, Gptq(8, 32), 74),
    "awq": ("Qwen2", SMALL, Awq(32), 6.5),
}
# What transformers can dequantise itself.
OWN_LOADER = ["w4a16", "w4a16_asymmetric", "w4a16_actorder", "w8a16", "fp8_tensor", "fp8_channel"]


class Checkpoint:
    """The tensors of a checkpoint and, by the names of plain ones, what they stand for."""

    def __init__(self, kind, codes_deviation):
        self.kind, self.most = kind, 2 * DEVIATION / codes_deviation
        self.tensors = {}

    def make(self, name, shape):
        if not name.endswith("_proj.weight") and not name.endswith("_mqa.weight"):
            value = weight(name, shape)
            self.tensors[name] = value if name.endswith("bias") else value.bfloat16()
            return value
        made = self.kind.make(*shape, most=self.most)
        for suffix, tensor in made.tensors.items():
            self.tensors[f"{name.removesuffix('.weight')}.{suffix}"] = tensor.contiguous()
        return made.floats

    def parameter(self, name, shape):
        """The value of a parameter of the module; experts are stacked there, one by one here."""
        if ".experts." not in name:
            return self.make(name, shape)
        stem, part = name.rsplit(".", 1)
        each = lambda what, size: torch.stack(
            [self.make(f"{stem}.{i}.{what}.weight", size) for i in range(shape[0])])
        if part == "down_proj":
            return each("down_proj", shape[1:])
        half = (shape[1] // 2, shape[2])
        return torch.cat([each("gate_proj", half), each("up_proj", half)], dim=1)


def model_of(kind, config):
    config = getattr(transformers, f"{kind}Config")(**config)
    config._attn_implementation = "eager"
    config._experts_implementation = "eager"
    return getattr(transformers, f"{kind}ForCausalLM")(config).float().eval()


def number(value):
    return float(f"{value:.7g}")


@torch.no_grad()
def logits_of(model, tokens):
    return model(torch.tensor([tokens])).logits[0, -1]


def write_golden(folder, name, model):
    prompts = []
    for count in PROMPTS:
        tokens = (bytes_of(f"prompt {count}", count) % 132 + 3).tolist()
        prompts.append({"tokens": tokens, "logits": [number(v) for v in logits_of(model, tokens).tolist()]})
    tokens, gaps = list(prompts[1]["tokens"]), []
    for _ in range(GREEDY):
        top = torch.topk(logits_of(model, tokens), 2)
        tokens.append(top.indices[0].item())
        gaps.append((top.values[0] - top.values[1]).item())
    lines = ",\n".join(json.dumps(p, separators=(",", ":")) for p in prompts)
    greedy = json.dumps(tokens[-GREEDY:], separators=(",", ":"))
    (folder / "golden.json").write_text(f'{{"prompts":[\n{lines}\n],\n"greedy":{greedy}}}\n')
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: largest logit {max(abs(v) for p in prompts for v in p['logits']):.3g}, "
          f"smallest gap {min(gaps):.2g}, {size} bytes", flush=True)
    return prompts


def check_against_own_loader(folder, prompts):
    config = transformers.CompressedTensorsConfig(run_compressed=False)
    own = transformers.AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=config, dtype=torch.float32, attn_implementation="eager").eval()
    for prompt in prompts:
        difference = (logits_of(own, prompt["tokens"]) - torch.tensor(prompt["logits"])).abs().max()
        assert difference < 1e-5, (folder, difference)


def make_safetensors(name):
    kind, settings, form, deviation = MODELS[name]
    g.manual_seed(sum(bytes_of(name, 4).tolist()))
    model = model_of(kind, settings)
    checkpoint = Checkpoint(form, deviation)
    tied = settings["tie_word_embeddings"]
    state = {n: checkpoint.parameter(n, tuple(p.shape)) for n, p in model.state_dict().items()
             if not (tied and n == "lm_head.weight")}
    if tied:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(settings, architectures=[type(model).__name__], model_type=model.config.model_type,
                  quantization_config=form.config)
    (folder / "config.json").write_text(json.dumps(config) + "\n")
    save_file(checkpoint.tensors, folder / "model.safetensors", metadata={"format": "pt"})
    prompts = write_golden(folder, name, model)
    if name in OWN_LOADER:
        check_against_own_loader(folder, prompts)


# One GGUF file with every type: tensors of two layers of a Llama, and where f16 numbers lie in a
# block, with the values that give a weight of the wanted size; other bytes are random.
GGUF_CONFIG = dict(COMMON, hidden_size=256, intermediate_size=256, num_hidden_layers=2,
                   num_attention_heads=4, num_key_value_heads=2, head_dim=32)
HALVES = {
    "Q4_0": {0: 0.026}, "Q4_1": {0: 0.026, 2: -0.2}, "Q5_0": {0: 0.013}, "Q5_1": {0: 0.013, 2: -0.2},
    "Q8_0": {0: 0.0016}, "Q4_K": {0: 0.00044, 2: 0.0033}, "Q5_K": {0: 0.00022, 2: 0.0033},
    "Q6_K": {208: 0.00009}, "IQ4_NL": {0: 0.0018}, "MXFP4": {},
}
GGUF_TYPES = {
    "token_embd": "Q6_K", "output": "Q8_0",
    "blk.0.attn_q": "Q4_K", "blk.0.attn_k": "Q5_K", "blk.0.attn_v": "Q6_K",
    "blk.0.attn_output": "IQ4_NL", "blk.0.ffn_gate": "Q4_0", "blk.0.ffn_up": "Q4_1",
    "blk.0.ffn_down": "Q6_K",
    "blk.1.attn_q": "Q5_0", "blk.1.attn_k": "F16", "blk.1.attn_v": "BF16",
    "blk.1.attn_output": "Q5_1", "blk.1.ffn_gate": "MXFP4", "blk.1.ffn_up": "MXFP4",
    "blk.1.ffn_down": "Q8_0",
}


def gguf_tensor(name, kind, shape):
    """Bytes of a tensor, [rows, bytes of a row], and the floats in them."""
    qtype = gguf.GGMLQuantizationType[kind]
    if kind in ("F32", "F16", "BF16"):
        raw = gguf.quantize(weight(name, shape).numpy(), qtype)
        return raw, gguf.dequantize(raw, qtype).astype(np.float32)
    elements, size = gguf.GGML_QUANT_SIZES[qtype]
    count = shape[0] * shape[1] // elements
    raw = bytes_of(name, count * size).astype(np.uint8).reshape(count, size)
    for offset, value in HALVES[kind].items():
        spread = 0.6 + 0.8 * bytes_of(f"{name} scale {offset}", count) / 255
        raw[:, offset:offset + 2] = (value * spread).astype(np.float16).view(np.uint8).reshape(count, 2)
    if kind == "MXFP4":
        raw[:, 0] = 121 + raw[:, 0] % 3  # 2^-6 to 2^-4, halved: the codes are doubled
    raw = raw.reshape(shape[0], -1)
    return raw, gguf.dequantize(raw, qtype).astype(np.float32)


def make_gguf(name):
    model = model_of("Llama", GGUF_CONFIG)
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    add_sizes(writer, GGUF_CONFIG)
    writer.add_eos_token_id(GGUF_CONFIG["eos_token_id"])
    table = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, GGUF_CONFIG["num_hidden_layers"])
    state = {}
    for parameter, value in model.state_dict().items():
        stem = table.get_name(parameter, try_suffixes=(".weight",)).removesuffix(".weight")
        if stem not in GGUF_TYPES:  # norms
            state[parameter] = weight(parameter, tuple(value.shape))
            writer.add_tensor(f"{stem}.weight", state[parameter].numpy())
            continue
        kind = GGUF_TYPES[stem]
        raw, floats = gguf_tensor(stem, kind, tuple(value.shape))
        if stem.endswith(("attn_q", "attn_k")):
            floats = unpaired(floats, GGUF_CONFIG[
                "num_attention_heads" if stem.endswith("q") else "num_key_value_heads"])
        print(f"  {kind:7} {stem:18} deviation {floats.std():.3f}")
        state[parameter] = torch.tensor(floats)
        writer.add_tensor(f"{stem}.weight", raw, raw_dtype=gguf.GGMLQuantizationType[kind])
    model.load_state_dict(state)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_golden(folder, name, model)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    torch.set_num_threads(2)
    for name in parser.parse_args().names or [*MODELS, "gguf_mixed"]:
        make_safetensors(name) if name in MODELS else make_gguf(name)


if __name__ == "__main__":
    main()
