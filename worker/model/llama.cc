// Llama 2 and 3, and the many models that share their form (SmolLM, Yi, ...): RMS norms before
// attention and feed-forward, grouped queries, rotary positions, silu gates.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/moe_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  ASSIGN_OR_RETURN(spec.mlp_bias, config.GetBoolOr("mlp_bias", false));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "llama", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "llama", spec));
  // Mixtral, too.
  ASSIGN_OR_RETURN(const int32_t experts, GgufSizeOr(metadata, "llama.expert_count", 0));
  if (experts > 0) {
    RETURN_IF_ERROR(ReadGgufExperts(metadata, "llama", spec));
    spec.moe.routing.normalised = true;
  }
  RETURN_IF_ERROR(RefusePartialPairs(metadata, spec));
  return spec;
}

}  // namespace

absl::Status Register_llama(ArchitectureRegistry& registry);

absl::Status Register_llama(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "LlamaForCausalLM",
                       .gguf_name = "llama",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPairedExpertNames}});
}

}  // namespace baton::worker
