// OLMo 2: norms behind the sublayers alone, and over all heads of queries and keys at once.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {kAttentionPostNormName, kMlpPostNormName};

void Shape(DecoderSpec& spec) {
  spec.norm_placement = NormPlacement::kPost;
  spec.qk_norm = QkNorm::kWholeProjection;
}

constexpr std::string_view kHfDefaults = R"({"rms_norm_eps": 1e-5})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  Shape(spec);
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "olmo2", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "olmo2", spec));
  Shape(spec);
  return spec;
}

}  // namespace

absl::Status Register_olmo2(ArchitectureRegistry& registry);

absl::Status Register_olmo2(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Olmo2ForCausalLM",
                       .gguf_name = "olmo2",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
