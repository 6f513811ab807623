// Qwen 3 with experts (30B-A3B, 235B-A22B, Coder): Qwen 3's norms of queries and keys, and experts
// in all layers or in some.

#include <algorithm>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/moe_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

// Layers are sparse, but for those that the configuration lists or steps over.
absl::Status MarkSparseLayers(const JsonConfig& config, DecoderSpec& spec) {
  ASSIGN_OR_RETURN(const int64_t step, config.GetIntOr("decoder_sparse_step", 1));
  ASSIGN_OR_RETURN(const std::vector<int64_t> dense, config.GetInts("mlp_only_layers"));
  if (step < 1) {
    return InvalidArgument("read " + config.source() + ": key=decoder_sparse_step is not above 0");
  }
  for (int64_t layer = step - 1; layer < spec.layer_count; layer += step) {
    if (std::find(dense.begin(), dense.end(), layer) != dense.end()) continue;
    spec.layers[static_cast<size_t>(layer)].feed_forward = FeedForwardKind::kExperts;
  }
  return absl::OkStatus();
}

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 4, "max_position_embeddings": 32768, "sliding_window": 4096,
        "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  ASSIGN_OR_RETURN(const bool windows, config.GetBoolOr("use_sliding_window", false));
  const auto every = [](int32_t) { return true; };
  if (windows) RETURN_IF_ERROR(ReadHfWindows(config, every, spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  spec.qk_norm = QkNorm::kPerHead;
  RETURN_IF_ERROR(ReadHfExperts(config, spec));
  ASSIGN_OR_RETURN(spec.moe.expert_size, HfSize(config, "moe_intermediate_size"));
  ASSIGN_OR_RETURN(spec.moe.routing.normalised, config.GetBoolOr("norm_topk_prob", false));
  RETURN_IF_ERROR(MarkSparseLayers(config, spec));
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "qwen3moe", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "qwen3moe", spec));
  spec.qk_norm = QkNorm::kPerHead;
  RETURN_IF_ERROR(ReadGgufExperts(metadata, "qwen3moe", spec));
  spec.moe.routing.normalised = true;
  return spec;
}

}  // namespace

absl::Status Register_qwen3_moe(ArchitectureRegistry& registry);

absl::Status Register_qwen3_moe(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Qwen3MoeForCausalLM",
                       .gguf_name = "qwen3moe",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPlainExpertNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
