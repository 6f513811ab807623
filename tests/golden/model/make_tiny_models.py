#!/usr/bin/env python3
"""Records what transformers computes for tiny random models, as architectures/<name>.json.

    python tests/golden/model/make_tiny_models.py [name ...]

A file holds a model's config.json (and how transformers 4 would have written it), the names and
shapes of its tensors, the same model as GGUF (keys, tensors, what llama.cpp's converter does to
their rows), and answers: the last logits of some prompts, and a greedy continuation. The weights
come from the generator of make_tiny_llama.py, which tests/fakes/tiny_llama.h repeats, so nothing
large is committed. Every odd feature of a family is on, sizes are odd, windows and rope scalings
matter within 300 positions.

Needs torch, transformers and gguf; the tests that read the results need none of them.
"""
import argparse
import json
import math
import pathlib
import re

import gguf
import torch
import transformers
from gguf_keys import add_sizes
from make_tiny_llama import PROMPTS, bytes_of, weight

GREEDY = 24

COMMON = dict(
    vocab_size=135, hidden_size=72, intermediate_size=100, num_hidden_layers=3,
    num_attention_heads=6, num_key_value_heads=2, head_dim=16, max_position_embeddings=512,
    rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
    pad_token_id=None)


def rope(kind="default", theta=10000.0, **rest):
    return {"rope_type": kind, "rope_theta": theta, **rest}


LONG = {"short_factor": [1.0, 1.125, 1.25, 1.5, 2.0, 3.0],
        "long_factor": [1.0, 2.0, 3.0, 5.5, 9.0, 14.0]}

# name: (class, GGUF architecture or None, changes)
MODELS = {
    "llama2": ("Llama", "LLAMA", dict(num_key_value_heads=6, head_dim=12 + 4, rope_parameters=rope())),
    "llama_biased": ("Llama", "LLAMA", dict(attention_bias=True, mlp_bias=True,
                                            rope_parameters=rope("llama3", factor=8.0, low_freq_factor=1.0,
                                                                 high_freq_factor=4.0,
                                                                 original_max_position_embeddings=64))),
    "llama_linear": ("Llama", "LLAMA", dict(tie_word_embeddings=True,
                                            rope_parameters=rope("linear", factor=2.5))),
    "llama_dynamic": ("Llama", None, dict(max_position_embeddings=128,
                                          rope_parameters=rope("dynamic", factor=2.0))),
    "llama_yarn": ("Llama", "LLAMA", dict(rope_parameters=rope("yarn", factor=4.0, beta_fast=8.0, beta_slow=1.0,
                                                               original_max_position_embeddings=96))),
    "mistral": ("Mistral", None, dict(sliding_window=40, head_dim=32, rope_parameters=rope(theta=1e6))),
    "qwen2": ("Qwen2", "QWEN2", dict(rope_parameters=rope(theta=1e6))),
    "qwen2_windows": ("Qwen2", None, dict(use_sliding_window=True, sliding_window=24, max_window_layers=1,
                                          rope_parameters=rope("yarn", factor=4.0,
                                                               original_max_position_embeddings=64))),
    "qwen3": ("Qwen3", "QWEN3", dict(head_dim=32, tie_word_embeddings=True,
                                     rope_parameters=rope(theta=1e6))),
    "gemma2": ("Gemma2", "GEMMA2", dict(num_hidden_layers=4, tie_word_embeddings=True, sliding_window=30,
                                        query_pre_attn_scalar=16, attn_logit_softcapping=20.0,
                                        final_logit_softcapping=12.0, rope_parameters=rope())),
    "gemma3": ("Gemma3", "GEMMA3", dict(num_hidden_layers=7, tie_word_embeddings=True, sliding_window=20,
                                        query_pre_attn_scalar=16,
                                        rope_parameters={"full_attention": rope("linear", theta=1e6, factor=8.0),
                                                         "sliding_attention": rope()})),
    "phi3": ("Phi3", "PHI3", dict(sliding_window=200, original_max_position_embeddings=128,
                                  partial_rotary_factor=0.75,
                                  rope_parameters=rope("longrope", partial_rotary_factor=0.75, **LONG))),
    "olmo2": ("Olmo2", "OLMO2", dict(rope_parameters=rope(theta=5e5))),
    "granite": ("Granite", "GRANITE", dict(embedding_multiplier=7.0, attention_multiplier=0.09,
                                           residual_multiplier=0.3, logits_scaling=2.5,
                                           rope_parameters=rope())),
    "exaone4": ("Exaone4", "EXAONE4", dict(num_hidden_layers=5, sliding_window=28, sliding_window_pattern=4,
                                           rope_parameters=rope("linear", theta=1e6, factor=2.0))),
    "smollm3": ("SmolLM3", "SMOLLM3", dict(num_hidden_layers=5, tie_word_embeddings=True,
                                           rope_parameters=rope(theta=2e6))),
    "smollm3_windows": ("SmolLM3", None, dict(num_hidden_layers=4, no_rope_layers=[1, 0, 1, 0], attention_bias=True,
                                              use_sliding_window=True, sliding_window=33,
                                              rope_parameters=rope(theta=2e6))),
}

# Models that see: the configuration that holds the text part's, and a small vision part.
VISION = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
              image_size=28, patch_size=14)
WRAPPERS = {
    "Gemma3Vision": ("Gemma3", "gemma3_text", dict(VISION, model_type="siglip_vision_model"),
                     dict(mm_tokens_per_image=4)),
    "Mistral3Vision": ("Mistral3", "mistral", dict(VISION, model_type="pixtral", head_dim=8), {}),
}
MODELS["gemma3_vision"] = ("Gemma3Vision", None, MODELS["gemma3"][2])
MODELS["mistral3_vision"] = ("Mistral3Vision", None, dict(MODELS["mistral"][2], sliding_window=None))

PLUS_ONE = {"Gemma2", "Gemma3", "Gemma3Vision"}  # norms are stored minus one
PAIRED = {"Llama", "Granite", "SmolLM3"}  # what the converter permutes
CLASSES = {"Gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM")}


def tensor(kind, name, shape):
    values = weight(name, shape)
    if kind in PLUS_ONE and name.endswith("norm.weight"):
        values = values - 1.0
    return values


def saved_name(name):
    """As a model that sees saves a parameter of the module."""
    for module, saved in (("model.language_model.", "language_model.model."),
                          ("lm_head.", "language_model.lm_head."), ("model.", "")):
        if name.startswith(module):
            return saved + name.removeprefix(module)
    return name


def make_wrapper(kind, changes):
    """The model, and its tensors as checkpoints name them."""
    wrapper, text_type, vision, more = WRAPPERS[kind]
    text = {**COMMON, **changes, "model_type": text_type}
    tied = text["tie_word_embeddings"]
    config = getattr(transformers, f"{wrapper}Config")(
        text_config=text, vision_config=vision, tie_word_embeddings=tied, **more)
    config._attn_implementation = "eager"
    model = getattr(transformers, f"{wrapper}ForConditionalGeneration")(config).float().eval()
    names = {n: saved_name(n) for n in model.state_dict() if not (tied and n == "lm_head.weight")}
    state = {n: tensor(kind, saved, tuple(model.state_dict()[n].shape)) for n, saved in names.items()}
    shapes = {names[n]: list(value.shape) for n, value in state.items()}
    if tied:
        state["lm_head.weight"] = state["model.language_model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model, shapes


def make_model(kind, changes):
    config_class, model_class = CLASSES.get(kind, (f"{kind}Config", f"{kind}ForCausalLM"))
    settings = {**COMMON, **changes}
    if kind == "Phi3":
        settings.pop("head_dim")
        settings["hidden_size"] = 96
    if kind == "Olmo2" or kind == "Granite":
        settings.pop("head_dim")
        settings["hidden_size"] = 96
    config = getattr(transformers, config_class)(**settings)
    config._attn_implementation = "eager"
    model = getattr(transformers, model_class)(config).float().eval()
    state = {name: tensor(kind, name, tuple(p.shape)) for name, p in model.state_dict().items()}
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


def config_of(model):
    config = json.loads(model.config.to_json_string())
    for key in ("transformers_version", "dtype", "initializer_range", "_attn_implementation"):
        config.pop(key, None)
    config["architectures"] = [type(model).__name__]
    return config


def old_config_of(config):
    """As transformers 4 wrote it."""
    if "text_config" in config:
        return {**config, "text_config": old_config_of(config["text_config"])}
    old = {k: v for k, v in config.items() if k not in ("rope_parameters", "layer_types")}
    parameters = config["rope_parameters"]
    if "full_attention" in parameters:
        old["rope_local_base_freq"] = parameters["sliding_attention"]["rope_theta"]
        parameters = parameters["full_attention"]
    old["rope_theta"] = parameters["rope_theta"]
    scaling = {k: v for k, v in parameters.items() if k not in ("rope_theta", "rope_type", "partial_rotary_factor")}
    if parameters["rope_type"] != "default":
        old["rope_scaling"] = {**scaling, "type": parameters["rope_type"]}
    if "partial_rotary_factor" in parameters:
        old["partial_rotary_factor"] = parameters["partial_rotary_factor"]
    return old


def gguf_keys(kind, arch, config):
    """The metadata that llama.cpp's converter writes."""
    writer = gguf.GGUFWriter(None, gguf.MODEL_ARCH_NAMES[arch])
    add_sizes(writer, config)
    parameters = config["rope_parameters"]
    parameters = parameters.get("full_attention", parameters)
    if kind in ("Exaone4", "Gemma2", "Gemma3", "Phi3") and config.get("sliding_window"):
        writer.add_sliding_window(config["sliding_window"])
    if parameters["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(parameters["rope_type"]))
        writer.add_rope_scaling_factor(parameters["factor"])
    if parameters["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(parameters["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(parameters["beta_fast"])
        writer.add_rope_scaling_yarn_beta_slow(parameters["beta_slow"])
    if kind == "Phi3":
        original = config["original_max_position_embeddings"]
        stretch = config["max_position_embeddings"] / original
        writer.add_rope_scaling_orig_ctx_len(original)
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(original)))
    if kind == "Gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if kind == "Granite":
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])
    return {key: [value.type.name.lower(), value.value] for key, value in writer.kv_data[0].items()}


def gguf_extra_tensors(kind, config):
    """Tensors that the converter makes of the configuration."""
    parameters = config["rope_parameters"]
    if kind == "Phi3":
        return {"rope_factors_long.weight": parameters["long_factor"],
                "rope_factors_short.weight": parameters["short_factor"]}
    if parameters.get("rope_type") != "llama3":
        return {}
    original, factor = parameters["original_max_position_embeddings"], parameters["factor"]
    low, high = parameters["low_freq_factor"], parameters["high_freq_factor"]
    head_dim = config["head_dim"]
    factors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * parameters["rope_theta"] ** (i / head_dim)
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return {"rope_freqs.weight": factors}


def gguf_of(kind, arch, config, names):
    arch = getattr(gguf.MODEL_ARCH, arch)
    table = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    tensors = {}
    for name in names:
        row = {"from": name}
        if kind in PAIRED and re.search(r"[qk]_proj\.", name):
            row["paired_heads"] = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
        tensors[table.get_name(name, try_suffixes=(".weight", ".bias"))] = row
    for name, values in gguf_extra_tensors(kind, config).items():
        tensors[name] = {"values": values}
    return {"keys": gguf_keys(kind, arch, config), "tensors": tensors}


def number(value):
    return float(f"{value:.7g}")


@torch.no_grad()
def record(model, count):
    tokens = (bytes_of(f"prompt {count}", count) % 132 + 3).tolist()
    logits = model(torch.tensor([tokens])).logits[0, -1]
    return {"tokens": tokens, "logits": [number(v) for v in logits.tolist()]}


@torch.no_grad()
def greedy(model, prompt):
    """Each token by a pass over all of them: no cache whose rounding or rope could differ."""
    tokens, gaps = list(prompt), []
    for _ in range(GREEDY):
        top = torch.topk(model(torch.tensor([tokens])).logits[0, -1], 2)
        tokens.append(top.indices[0].item())
        gaps.append((top.values[0] - top.values[1]).item())
    return tokens[len(prompt):], min(gaps)


def make(name):
    kind, arch, changes = MODELS[name]
    if kind in WRAPPERS:
        model, names = make_wrapper(kind, changes)
        config = config_of(model)
    else:
        model = make_model(kind, changes)
        config = config_of(model)
        names = {n: list(p.shape) for n, p in model.state_dict().items()
                 if not (n == "lm_head.weight" and config["tie_word_embeddings"])}
    prompts = [record(model, count) for count in PROMPTS]
    tokens, gap = greedy(model, prompts[1]["tokens"])
    lines = {"config": config, "old_config": old_config_of(config), "tensors": names,
             "norms_minus_one": kind in PLUS_ONE, "prompts": prompts, "greedy": tokens}
    if arch:
        lines["gguf"] = gguf_of(kind, arch, config, names)
    out = pathlib.Path(__file__).with_name("architectures") / f"{name}.json"
    out.parent.mkdir(exist_ok=True)
    body = ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in lines.items())
    out.write_text("{" + body + "}\n")
    largest = max(abs(v) for p in prompts for v in p["logits"])
    print(f"{name}: largest logit {largest:.3g}, smallest gap {gap:.2g}, {out.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(MODELS))
    torch.set_num_threads(2)
    for name in parser.parse_args().names or MODELS:
        make(name)


if __name__ == "__main__":
    main()
