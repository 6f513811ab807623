// Granite: Llama with a multiplier in four places.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  ASSIGN_OR_RETURN(spec.mlp_bias, config.GetBoolOr("mlp_bias", false));
  ASSIGN_OR_RETURN(spec.embedding_scale, config.GetFloatOr("embedding_multiplier", 1));
  ASSIGN_OR_RETURN(spec.attention_scale, config.GetFloatOr("attention_multiplier", 1));
  ASSIGN_OR_RETURN(spec.residual_scale, config.GetFloatOr("residual_multiplier", 1));
  ASSIGN_OR_RETURN(const double logits_scaling, config.GetFloatOr("logits_scaling", 1));
  spec.logit_scale = 1 / logits_scaling;
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "granite", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "granite", spec));
  RETURN_IF_ERROR(RefusePartialPairs(metadata, spec));
  ASSIGN_OR_RETURN(spec.embedding_scale, metadata.GetFloatOr("granite.embedding_scale", 1));
  ASSIGN_OR_RETURN(spec.attention_scale,
                   metadata.GetFloatOr("granite.attention.scale", spec.attention_scale));
  ASSIGN_OR_RETURN(spec.residual_scale, metadata.GetFloatOr("granite.residual_scale", 1));
  ASSIGN_OR_RETURN(const double logits_scaling, metadata.GetFloatOr("granite.logit_scale", 1));
  spec.logit_scale = 1 / logits_scaling;
  return spec;
}

}  // namespace

absl::Status Register_granite(ArchitectureRegistry& registry);

absl::Status Register_granite(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "GraniteForCausalLM",
                       .gguf_name = "granite",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPairedNames}});
}

}  // namespace baton::worker
