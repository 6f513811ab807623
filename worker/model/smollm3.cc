// SmolLM 3: Llama in which every fourth layer knows no positions.

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr int64_t kInterval = 4;

absl::Status ReadRopelessLayers(const JsonConfig& config, DecoderSpec& spec) {
  ASSIGN_OR_RETURN(const int64_t interval, config.GetInt("no_rope_layer_interval"));
  // One number for each layer, in spite of its name: whether it turns.
  ASSIGN_OR_RETURN(const std::vector<int64_t> turns, config.GetInts("no_rope_layers"));
  if (interval < 1 || (!turns.empty() && turns.size() != spec.layers.size())) {
    return InvalidArgument(absl::StrCat("read ", config.source(), ": no_rope_layers has ",
                                        turns.size(), " numbers, no_rope_layer_interval is ",
                                        interval));
  }
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const bool turn = turns.empty() ? (static_cast<int64_t>(i) + 1) % interval != 0 : turns[i] != 0;
    spec.layers[i].rope = turn ? 0 : kNoRope;
  }
  return absl::OkStatus();
}

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 4, "max_position_embeddings": 32768, "rope_theta": 2e6,
        "no_rope_layer_interval": 4, "tie_word_embeddings": true})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  RETURN_IF_ERROR(ReadRopelessLayers(config, spec));
  ASSIGN_OR_RETURN(spec.mlp_bias, config.GetBoolOr("mlp_bias", false));
  ASSIGN_OR_RETURN(const bool windows, config.GetBoolOr("use_sliding_window", false));
  const auto slides = [&](int32_t layer) {
    return spec.layers[static_cast<size_t>(layer)].rope == kNoRope;
  };
  if (windows) RETURN_IF_ERROR(ReadHfWindows(config, slides, spec));
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "smollm3", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "smollm3", spec));
  RETURN_IF_ERROR(RefusePartialPairs(metadata, spec));
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    if ((i + 1) % kInterval == 0) spec.layers[i].rope = kNoRope;
  }
  return spec;
}

}  // namespace

absl::Status Register_smollm3(ArchitectureRegistry& registry);

absl::Status Register_smollm3(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "SmolLM3ForCausalLM",
                       .gguf_name = "smollm3",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPairedNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
