// EXAONE 4: norms behind the sublayers, each head of queries and keys normed. The larger model has
// windows in three of four layers, and then its full layers know no positions.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {kAttentionPostNormName, kMlpPostNormName};
constexpr int64_t kPattern = 4;  // every so many layers there is one without a window

void Shape(bool has_windows, DecoderSpec& spec) {
  spec.norm_placement = NormPlacement::kPost;
  spec.qk_norm = QkNorm::kPerHead;
  for (LayerSpec& layer : spec.layers) {
    if (has_windows && layer.window == 0) layer.rope = kNoRope;
  }
}

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 32, "rms_norm_eps": 1e-5, "sliding_window": 4096,
        "sliding_window_pattern": 4})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  int64_t pattern = 0;
  if (!config.Has("layer_types")) {  // files that have them may hold a word here
    ASSIGN_OR_RETURN(pattern, config.GetIntOr("sliding_window_pattern", 0));
  }
  const auto slides = [&](int32_t layer) { return pattern > 0 && (layer + 1) % pattern != 0; };
  RETURN_IF_ERROR(ReadHfWindows(config, slides, spec));
  Shape(config.Has("sliding_window"), spec);
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "exaone4", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "exaone4", spec));
  RETURN_IF_ERROR(ReadGgufWindows(
      metadata, "exaone4", [](int32_t layer) { return (layer + 1) % kPattern != 0; }, spec));
  Shape(metadata.Has("exaone4.attention.sliding_window"), spec);
  return spec;
}

}  // namespace

absl::Status Register_exaone4(ArchitectureRegistry& registry);

absl::Status Register_exaone4(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Exaone4ForCausalLM",
                       .gguf_name = "exaone4",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
