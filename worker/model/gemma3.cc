// Gemma 3: Gemma 2 with norms of heads instead of soft caps, five layers with a window to one
// without, and a rotary base of their own for those with one. Of models that see, the text part.

#include <cmath>
#include <optional>
#include <utility>

#include "common/base/status.h"
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
  spec.qk_norm = QkNorm::kPerHead;
}

constexpr int32_t kPattern = 6;  // every so many layers there is one without a window
constexpr RopeDefaults kFullRope = {.theta = 1e6};
constexpr RopeDefaults kLocalRope = {.theta = 1e4};

// Layers with a window take the second rope.
void PlaceRopes(RopeConfig full, RopeConfig local, DecoderSpec& spec) {
  spec.ropes = {std::move(full), std::move(local)};
  for (LayerSpec& layer : spec.layers) layer.rope = layer.window == 0 ? 0 : 1;
}

// Transformers 5 nests a rope for each kind of layer; before, scaling was the full layers' alone.
absl::Status ReadHfRopes(const JsonConfig& config, DecoderSpec& spec) {
  RopeDefaults full_default = kFullRope;
  RopeDefaults local_default = kLocalRope;
  ASSIGN_OR_RETURN(full_default.theta, config.GetFloatOr("rope_theta", kFullRope.theta));
  ASSIGN_OR_RETURN(local_default.theta,
                   config.GetFloatOr("rope_local_base_freq", kLocalRope.theta));
  std::optional<JsonConfig> full;
  std::optional<JsonConfig> local;
  ASSIGN_OR_RETURN(const std::optional<JsonConfig> nested, config.GetObject("rope_parameters"));
  if (nested.has_value()) {
    ASSIGN_OR_RETURN(full, nested->GetObject("full_attention"));
    ASSIGN_OR_RETURN(local, nested->GetObject("sliding_attention"));
  } else {
    ASSIGN_OR_RETURN(full, config.GetObject("rope_scaling"));
  }
  const JsonConfig none = JsonConfig::Empty(config.source());
  ASSIGN_OR_RETURN(RopeConfig full_rope,
                   ReadHfRopeObject(config, full.value_or(none), full_default, spec));
  ASSIGN_OR_RETURN(RopeConfig local_rope,
                   ReadHfRopeObject(config, local.value_or(none), local_default, spec));
  PlaceRopes(std::move(full_rope), std::move(local_rope), spec);
  return absl::OkStatus();
}

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  Shape(spec);
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_activation", spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  ASSIGN_OR_RETURN(const int64_t pattern, config.GetIntOr("sliding_window_pattern", kPattern));
  const auto slides = [&](int32_t layer) { return pattern > 0 && (layer + 1) % pattern != 0; };
  RETURN_IF_ERROR(ReadHfWindows(config, slides, spec));
  RETURN_IF_ERROR(ReadHfRopes(config, spec));
  ASSIGN_OR_RETURN(const bool both_ways, config.GetBoolOr("use_bidirectional_attention", false));
  if (both_ways) {
    return Unimplemented("read " + config.source() +
                         ": use_bidirectional_attention=true is not supported");
  }
  ASSIGN_OR_RETURN(const double scalar, config.GetFloat("query_pre_attn_scalar"));
  spec.attention_scale = 1 / std::sqrt(scalar);
  // attn_logit_softcapping is a key of this family, but nobody caps its scores.
  ASSIGN_OR_RETURN(spec.logit_soft_cap, config.GetFloatOr("final_logit_softcapping", 0));
  return spec;
}

// Sizes too: models that see leave out even those.
constexpr std::string_view kHfDefaults =
    R"({"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216,
        "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "max_position_embeddings": 131072, "sliding_window": 4096,
        "query_pre_attn_scalar": 256, "tie_word_embeddings": true})";

absl::StatusOr<DecoderSpec> TextSpecFromHf(const JsonConfig& config) {
  ASSIGN_OR_RETURN(const JsonConfig text, ReadHfTextConfig(config, "gemma3_text", kHfDefaults));
  return SpecFromHf(text);
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "gemma3", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "gemma3", spec));
  Shape(spec);
  RETURN_IF_ERROR(ReadGgufWindows(
      metadata, "gemma3", [](int32_t layer) { return (layer + 1) % kPattern != 0; }, spec));
  RopeConfig local{.theta = kLocalRope.theta, .rotary_dim = spec.ropes.front().rotary_dim};
  ASSIGN_OR_RETURN(local.theta, metadata.GetFloatOr("gemma3.rope.freq_base_swa", local.theta));
  PlaceRopes(spec.ropes.front(), std::move(local), spec);
  // Files do not say; llama.cpp knows the 27B model by its depth.
  constexpr int32_t kLayersOf27B = 62;
  if (spec.layer_count == kLayersOf27B) {
    spec.attention_scale = std::sqrt(static_cast<double>(spec.head_count) / spec.hidden_size);
  }
  ASSIGN_OR_RETURN(spec.logit_soft_cap, metadata.GetFloatOr("gemma3.final_logit_softcapping", 0));
  return spec;
}

}  // namespace

absl::Status Register_gemma3(ArchitectureRegistry& registry);

absl::Status Register_gemma3(ArchitectureRegistry& registry) {
  RETURN_IF_ERROR(registry.Add({.hf_name = "Gemma3ForConditionalGeneration",
                                .gguf_name = "",
                                .spec_from_hf = TextSpecFromHf,
                                .spec_from_gguf = nullptr,
                                .names = {.patterns = kPatterns,
                                          .base = kPlainNames,
                                          .text_parts = kTextParts,
                                          .other_parts = kVisionParts}}));
  return registry.Add({.hf_name = "Gemma3ForCausalLM",
                       .gguf_name = "gemma3",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
