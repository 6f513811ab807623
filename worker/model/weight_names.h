// The names that most families give to their tensors, to be put under a family's own
// (WeightNames::base). A slot that a model of some spec does not have takes no part.
//
// Threading: constants.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "worker/model/weight_plan.h"

namespace baton::worker {

// GGUF rows as they are: families that llama.cpp turns in halves.
inline constexpr std::array kPlainNames = {
    WeightPattern{WeightSlot::kEmbedding, "model.embed_tokens.weight", "token_embd.weight"},
    WeightPattern{WeightSlot::kHead, "lm_head.weight", "output.weight"},
    WeightPattern{WeightSlot::kFinalNorm, "model.norm.weight", "output_norm.weight"},
    WeightPattern{WeightSlot::kRopeFactors, "", "rope_freqs.weight"},
    WeightPattern{WeightSlot::kAttentionNorm, "model.layers.#.input_layernorm.weight",
                  "blk.#.attn_norm.weight"},
    WeightPattern{WeightSlot::kQuery, "model.layers.#.self_attn.q_proj.weight",
                  "blk.#.attn_q.weight"},
    WeightPattern{WeightSlot::kKey, "model.layers.#.self_attn.k_proj.weight",
                  "blk.#.attn_k.weight"},
    WeightPattern{WeightSlot::kValue, "model.layers.#.self_attn.v_proj.weight",
                  "blk.#.attn_v.weight"},
    WeightPattern{WeightSlot::kQueryBias, "model.layers.#.self_attn.q_proj.bias",
                  "blk.#.attn_q.bias"},
    WeightPattern{WeightSlot::kKeyBias, "model.layers.#.self_attn.k_proj.bias",
                  "blk.#.attn_k.bias"},
    WeightPattern{WeightSlot::kValueBias, "model.layers.#.self_attn.v_proj.bias",
                  "blk.#.attn_v.bias"},
    WeightPattern{WeightSlot::kQueryNorm, "model.layers.#.self_attn.q_norm.weight",
                  "blk.#.attn_q_norm.weight"},
    WeightPattern{WeightSlot::kKeyNorm, "model.layers.#.self_attn.k_norm.weight",
                  "blk.#.attn_k_norm.weight"},
    WeightPattern{WeightSlot::kAttentionOut, "model.layers.#.self_attn.o_proj.weight",
                  "blk.#.attn_output.weight"},
    WeightPattern{WeightSlot::kAttentionOutBias, "model.layers.#.self_attn.o_proj.bias",
                  "blk.#.attn_output.bias"},
    WeightPattern{WeightSlot::kMlpNorm, "model.layers.#.post_attention_layernorm.weight",
                  "blk.#.ffn_norm.weight"},
    WeightPattern{WeightSlot::kGate, "model.layers.#.mlp.gate_proj.weight",
                  "blk.#.ffn_gate.weight"},
    WeightPattern{WeightSlot::kUp, "model.layers.#.mlp.up_proj.weight", "blk.#.ffn_up.weight"},
    WeightPattern{WeightSlot::kDown, "model.layers.#.mlp.down_proj.weight",
                  "blk.#.ffn_down.weight"},
    WeightPattern{WeightSlot::kGateBias, "model.layers.#.mlp.gate_proj.bias",
                  "blk.#.ffn_gate.bias"},
    WeightPattern{WeightSlot::kUpBias, "model.layers.#.mlp.up_proj.bias", "blk.#.ffn_up.bias"},
    WeightPattern{WeightSlot::kDownBias, "model.layers.#.mlp.down_proj.bias",
                  "blk.#.ffn_down.bias"},
};

// GGUF rows of queries and keys in pairs: families that llama.cpp converts as it does Llama.
inline constexpr auto kPairedNames = [] {
  auto names = kPlainNames;
  for (WeightPattern& pattern : names) {
    const bool turns = pattern.slot == WeightSlot::kQuery || pattern.slot == WeightSlot::kKey ||
                       pattern.slot == WeightSlot::kQueryBias ||
                       pattern.slot == WeightSlot::kKeyBias;
    if (turns) pattern.gguf_rows = RowTransform::kPairsToHalves;
  }
  return names;
}();

// Experts: a tensor for each projection of each; or, as transformers 5 and GGUF hold them, stacked.
inline constexpr std::array kExpertNames = {
    WeightPattern{WeightSlot::kRouter, "model.layers.#.mlp.gate.weight",
                  "blk.#.ffn_gate_inp.weight"},
    WeightPattern{WeightSlot::kExpertGate, "model.layers.#.mlp.experts.@.gate_proj.weight",
                  "blk.#.ffn_gate.@.weight"},
    WeightPattern{WeightSlot::kExpertUp, "model.layers.#.mlp.experts.@.up_proj.weight",
                  "blk.#.ffn_up.@.weight"},
    WeightPattern{WeightSlot::kExpertDown, "model.layers.#.mlp.experts.@.down_proj.weight",
                  "blk.#.ffn_down.@.weight"},
    WeightPattern{WeightSlot::kExpertGate, "model.layers.#.mlp.experts.gate_up_proj", "",
                  RowTransform::kNone, Fusion::kFused, Stacking::kRows},
    WeightPattern{WeightSlot::kExpertUp, "model.layers.#.mlp.experts.gate_up_proj", "",
                  RowTransform::kNone, Fusion::kFused, Stacking::kRows},
    WeightPattern{WeightSlot::kExpertDown, "model.layers.#.mlp.experts.down_proj",
                  "blk.#.ffn_down_exps.weight", RowTransform::kNone, Fusion::kAlone,
                  Stacking::kRows},
    WeightPattern{WeightSlot::kExpertGate, "", "blk.#.ffn_gate_exps.weight", RowTransform::kNone,
                  Fusion::kAlone, Stacking::kRows},
    WeightPattern{WeightSlot::kExpertUp, "", "blk.#.ffn_up_exps.weight", RowTransform::kNone,
                  Fusion::kAlone, Stacking::kRows},
};

template <size_t A, size_t B>
constexpr std::array<WeightPattern, A + B> Joined(const std::array<WeightPattern, A>& a,
                                                  const std::array<WeightPattern, B>& b) {
  std::array<WeightPattern, A + B> both{};
  for (size_t i = 0; i < A; ++i) both[i] = a[i];
  for (size_t i = 0; i < B; ++i) both[A + i] = b[i];
  return both;
}

// The same for families with experts.
inline constexpr auto kPlainExpertNames = Joined(kPlainNames, kExpertNames);
inline constexpr auto kPairedExpertNames = Joined(kPairedNames, kExpertNames);

// Families with norms behind the sublayers, alone or too.
inline constexpr WeightPattern kAttentionPostNormName = {
    WeightSlot::kAttentionPostNorm, "model.layers.#.post_attention_layernorm.weight",
    "blk.#.post_attention_norm.weight"};
inline constexpr WeightPattern kMlpPostNormName = {
    WeightSlot::kMlpPostNorm, "model.layers.#.post_feedforward_layernorm.weight",
    "blk.#.post_ffw_norm.weight"};

// Models that take images too, as transformers saved them before release 5 and since.
inline constexpr TextPart kTextParts[] = {{"language_model.model.", "language_model.lm_head."},
                                          {"model.language_model.", "lm_head."}};
inline constexpr std::string_view kVisionParts[] = {"vision_tower.", "multi_modal_projector.",
                                                    "model.vision_tower.",
                                                    "model.multi_modal_projector."};

}  // namespace baton::worker
