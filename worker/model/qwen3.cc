// Qwen 3: each head of queries and keys is normed before it turns.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 32, "head_dim": 128, "max_position_embeddings": 32768,
        "sliding_window": 4096})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfUpperWindows(config, spec));
  RETURN_IF_ERROR(ReadHfAttentionBias(config, spec));
  spec.qk_norm = QkNorm::kPerHead;
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "qwen3", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "qwen3", spec));
  spec.qk_norm = QkNorm::kPerHead;
  return spec;
}

}  // namespace

absl::Status Register_qwen3(ArchitectureRegistry& registry);

absl::Status Register_qwen3(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Qwen3ForCausalLM",
                       .gguf_name = "qwen3",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
