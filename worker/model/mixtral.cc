// Mixtral 8x7B and 8x22B: Mistral with experts in every layer. In GGUF it is a Llama with experts:
// see llama.cc.

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/moe_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {
    {WeightSlot::kRouter, "model.layers.#.block_sparse_moe.gate.weight", ""},
    {WeightSlot::kExpertGate, "model.layers.#.block_sparse_moe.experts.@.w1.weight", ""},
    {WeightSlot::kExpertUp, "model.layers.#.block_sparse_moe.experts.@.w3.weight", ""},
    {WeightSlot::kExpertDown, "model.layers.#.block_sparse_moe.experts.@.w2.weight", ""},
    // As transformers 5 holds them.
    {WeightSlot::kRouter, "model.layers.#.mlp.gate.weight", ""},
    {WeightSlot::kExpertGate, "model.layers.#.mlp.experts.gate_up_proj", "", RowTransform::kNone,
     Fusion::kFused, Stacking::kRows},
    {WeightSlot::kExpertUp, "model.layers.#.mlp.experts.gate_up_proj", "", RowTransform::kNone,
     Fusion::kFused, Stacking::kRows},
    {WeightSlot::kExpertDown, "model.layers.#.mlp.experts.down_proj", "", RowTransform::kNone,
     Fusion::kAlone, Stacking::kRows},
};

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 8, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 1e6,
        "num_local_experts": 8, "num_experts_per_tok": 2})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfExperts(config, spec));
  ASSIGN_OR_RETURN(const int32_t window, HfSizeOr(config, "sliding_window", 0));
  for (LayerSpec& layer : spec.layers) {
    layer.window = window;
    layer.feed_forward = FeedForwardKind::kExperts;
  }
  spec.moe.expert_size = spec.intermediate_size;
  spec.moe.routing.normalised = true;
  return spec;
}

}  // namespace

absl::Status Register_mixtral(ArchitectureRegistry& registry);

absl::Status Register_mixtral(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "MixtralForCausalLM",
                       .gguf_name = "",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = nullptr,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
