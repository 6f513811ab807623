// Gemma 2: norms before and behind each sublayer, windows in every other layer, soft caps on scores
// and logits, embeddings scaled by the root of the width.

#include <cmath>

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {
    kAttentionPostNormName,
    {WeightSlot::kMlpNorm, "model.layers.#.pre_feedforward_layernorm.weight",
     "blk.#.ffn_norm.weight"},
    kMlpPostNormName,
};

// What every model of the family does.
void Shape(DecoderSpec& spec) {
  spec.norm = NormKind::kRmsPlusOne;  // GGUF files hold the sum
  spec.norm_placement = NormPlacement::kSandwich;
  spec.activation = Activation::kGeluTanh;
  spec.embedding_scale = std::sqrt(static_cast<double>(spec.hidden_size));
}

bool Slides(int32_t layer) { return layer % 2 == 0; }

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 4, "head_dim": 256, "max_position_embeddings": 8192,
        "sliding_window": 4096, "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50,
        "final_logit_softcapping": 30, "tie_word_embeddings": true})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  Shape(spec);
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_activation", spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  RETURN_IF_ERROR(ReadHfWindows(config, Slides, spec));
  ASSIGN_OR_RETURN(const double scalar, config.GetFloat("query_pre_attn_scalar"));
  spec.attention_scale = 1 / std::sqrt(scalar);
  ASSIGN_OR_RETURN(spec.attention_soft_cap, config.GetFloatOr("attn_logit_softcapping", 0));
  ASSIGN_OR_RETURN(spec.logit_soft_cap, config.GetFloatOr("final_logit_softcapping", 0));
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "gemma2", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "gemma2", spec));
  Shape(spec);
  RETURN_IF_ERROR(ReadGgufWindows(metadata, "gemma2", Slides, spec));
  // Files do not say; llama.cpp knows the 27B model by its depth.
  constexpr int32_t kLayersOf27B = 46;
  if (spec.layer_count == kLayersOf27B) {
    spec.attention_scale = std::sqrt(static_cast<double>(spec.head_count) / spec.hidden_size);
  }
  ASSIGN_OR_RETURN(spec.attention_soft_cap,
                   metadata.GetFloatOr("gemma2.attn_logit_softcapping", 50));
  ASSIGN_OR_RETURN(spec.logit_soft_cap, metadata.GetFloatOr("gemma2.final_logit_softcapping", 30));
  return spec;
}

}  // namespace

absl::Status Register_gemma2(ArchitectureRegistry& registry);

absl::Status Register_gemma2(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Gemma2ForCausalLM",
                       .gguf_name = "gemma2",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
