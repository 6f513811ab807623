#!/usr/bin/env python3
"""Records what transformers computes for tiny random models with experts, as architectures/<name>.json.

    python tests/golden/model/make_tiny_experts.py [name ...]

Each file holds a model's config.json (and how transformers 4 would have written it), the names and
shapes of its checkpoint's tensors, and answers: the last logits of some prompts, and a greedy
continuation. The weights come from the generator of
make_tiny_llama.py, which tests/fakes/tiny_llama.h repeats. Sizes are odd on purpose: experts whose
width is no multiple of a panel, groups of experts, dense layers between sparse ones, a latent cache
narrower than its heads.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
import transformers
from make_tiny_llama import PROMPTS, bytes_of, weight
from make_tiny_models import old_config_of

COMMON = dict(vocab_size=261, max_position_embeddings=512, tie_word_embeddings=False,
              bos_token_id=1, eos_token_id=2, pad_token_id=None)
PLAIN_ROPE = {"rope_type": "default", "rope_theta": 10000.0}

QWEN3_MOE = dict(
    COMMON, hidden_size=72, intermediate_size=100, moe_intermediate_size=44, num_hidden_layers=3,
    num_attention_heads=6, num_key_value_heads=2, head_dim=32, num_experts=10,
    num_experts_per_tok=4, norm_topk_prob=True, mlp_only_layers=[0], decoder_sparse_step=1,
    rms_norm_eps=1e-5, rope_parameters=PLAIN_ROPE)
MIXTRAL = dict(
    COMMON, hidden_size=72, intermediate_size=60, num_hidden_layers=2, num_attention_heads=6,
    num_key_value_heads=2, head_dim=32, num_local_experts=5, num_experts_per_tok=2,
    sliding_window=None, rms_norm_eps=1e-5, rope_parameters=PLAIN_ROPE)
GPT_OSS = dict(
    COMMON, hidden_size=64, intermediate_size=64, num_hidden_layers=4, num_attention_heads=6,
    num_key_value_heads=2, head_dim=32, num_local_experts=6, num_experts_per_tok=3,
    sliding_window=24, rms_norm_eps=1e-5, attention_bias=True, swiglu_limit=1.5,
    layer_types=["sliding_attention", "full_attention"] * 2,
    rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "beta_fast": 8.0,
                     "beta_slow": 1.0, "truncate": False, "original_max_position_embeddings": 64})
DEEPSEEK_V3 = dict(
    COMMON, hidden_size=72, intermediate_size=100, moe_intermediate_size=36, num_hidden_layers=3,
    num_attention_heads=6, num_key_value_heads=6, q_lora_rank=40, kv_lora_rank=48,
    qk_nope_head_dim=24, qk_rope_head_dim=16, v_head_dim=20, n_routed_experts=12, n_group=4,
    topk_group=2, num_experts_per_tok=3, n_shared_experts=2, routed_scaling_factor=2.5,
    norm_topk_prob=True, first_k_dense_replace=1, rms_norm_eps=1e-6, attention_bias=False,
    rope_interleave=True,
    rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "beta_fast": 32.0,
                     "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 0.7,
                     "original_max_position_embeddings": 64})

MODELS = {
    "qwen3_moe": ("Qwen3Moe", QWEN3_MOE),
    "mixtral": ("Mixtral", MIXTRAL),
    "gpt_oss": ("GptOss", GPT_OSS),
    "gpt_oss_mxfp4": ("GptOss", dict(GPT_OSS, swiglu_limit=7.0)),  # GGUF knows no other
    "deepseek_v3": ("DeepseekV3", DEEPSEEK_V3),
    "deepseek_v3_plain_q": ("DeepseekV3", dict(DEEPSEEK_V3, q_lora_rank=None, norm_topk_prob=False,
                                               rope_parameters=PLAIN_ROPE)),
}

# Names of an expert's gate, up and down in the checkpoint, below ".experts.".
EXPERT_NAMES = {"Mixtral": ("w1", "w3", "w2")}
MXFP4_NUMBERS = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6])
MXFP4_LEAST_SCALE = 122  # 2^-5 and up: as large as the other weights


class Checkpoint:
    """The tensors of a checkpoint, made one by one, and their names and shapes."""

    def __init__(self):
        self.shapes = {}

    def make(self, name, shape):
        self.shapes[name] = list(shape)
        return weight(name, shape)

    def bytes(self, name, shape):
        self.shapes[name] = list(shape)
        return torch.tensor(bytes_of(name, int(np.prod(shape))).reshape(shape))

    def each(self, stem, part, count, shape):
        return torch.stack([self.make(f"{stem}.{i}.{part}.weight", shape) for i in range(count)])

    def mxfp4(self, stem, experts, rows, cols):
        """Blocks and scales of [experts, rows, cols], as the transposed matrices that they mean."""
        blocks = self.bytes(f"{stem}_blocks", (experts, rows, cols // 32, 16))
        scales = self.bytes(f"{stem}_scales", (experts, rows, cols // 32)) % 4 + MXFP4_LEAST_SCALE
        pairs = torch.stack([MXFP4_NUMBERS[blocks & 15], MXFP4_NUMBERS[blocks >> 4]], dim=-1)
        numbers = pairs.reshape(experts, rows, cols // 32, 32) * 2.0 ** (scales[..., None] - 127)
        return numbers.reshape(experts, rows, cols).transpose(1, 2).float()


def tensor_of(checkpoint, kind, name, shape, packed):
    """The value of a parameter of the module, from what a checkpoint holds for it."""
    if ".experts." not in name or kind == "GptOss" and not packed:
        return checkpoint.make(name, shape)
    if kind == "GptOss":
        if name.endswith("bias"):
            return checkpoint.make(name, shape)
        return checkpoint.mxfp4(name, shape[0], shape[2], shape[1])
    gate, up, down = EXPERT_NAMES.get(kind, ("gate_proj", "up_proj", "down_proj"))
    stem = name.rsplit(".", 1)[0]
    if kind == "Mixtral":
        stem = stem.replace(".mlp.", ".block_sparse_moe.")
    if name.endswith("down_proj"):
        return checkpoint.each(stem, down, shape[0], shape[1:])
    half = (shape[1] // 2, shape[2])
    return torch.cat([checkpoint.each(stem, gate, shape[0], half),
                      checkpoint.each(stem, up, shape[0], half)], dim=1)


def make_model(kind, config, packed):
    config = getattr(transformers, f"{kind}Config")(**config)
    config._attn_implementation = "eager"
    config._experts_implementation = "eager"
    model = getattr(transformers, f"{kind}ForCausalLM")(config).float().eval()
    checkpoint = Checkpoint()
    state = {}
    for name, parameter in model.state_dict().items():
        shape = tuple(parameter.shape)
        if kind == "Mixtral" and ".mlp.gate." in name:
            state[name] = checkpoint.make(name.replace(".mlp.", ".block_sparse_moe."), shape)
        else:
            state[name] = tensor_of(checkpoint, kind, name, shape, packed)
    model.load_state_dict(state)
    return model, checkpoint


@torch.no_grad()
def record(model, count):
    tokens = (bytes_of(f"prompt {count}", count) % 256 + 3).tolist()
    logits = model(torch.tensor([tokens])).logits[0, -1]
    return {"tokens": tokens, "logits": [float(f"{v:.8g}") for v in logits.tolist()]}


@torch.no_grad()
def greedy(model, prompt, count):
    tokens, gaps = list(prompt), []
    for _ in range(count):
        top = torch.topk(model(torch.tensor([tokens])).logits[0, -1], 2)
        tokens.append(top.indices[0].item())
        gaps.append((top.values[0] - top.values[1]).item())
    return tokens[len(prompt):], min(gaps)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(MODELS))
    torch.set_num_threads(2)
    for name in parser.parse_args().names:
        kind, config = MODELS[name]
        packed = name.endswith("mxfp4")
        model, checkpoint = make_model(kind, config, packed)
        kept = dict(config, architectures=[f"{kind}ForCausalLM"], model_type=model.config.model_type)
        if packed:
            kept["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": [
                "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}
        prompts = [record(model, count) for count in PROMPTS]
        continuation, gap = greedy(model, prompts[1]["tokens"], 16)
        print(name, "largest logit", max(abs(v) for v in prompts[-1]["logits"]), "gap", gap)
        lines = [f'"config":{json.dumps(kept, separators=(",", ":"))}',
                 f'"old_config":{json.dumps(old_config_of(kept), separators=(",", ":"))}',
                 f'"tensors":{json.dumps(checkpoint.shapes, separators=(",", ":"))}',
                 '"prompts":[\n' + ",\n".join(json.dumps(p, separators=(",", ":")) for p in prompts) + "\n]",
                 f'"greedy":{json.dumps(continuation, separators=(",", ":"))}']
        out = pathlib.Path(__file__).with_name("architectures") / f"{name}.json"
        out.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
