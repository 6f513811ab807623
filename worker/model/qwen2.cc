// Qwen 2 and 2.5: biases of queries, keys and values; windows in the upper layers of some.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 32, "max_position_embeddings": 32768, "sliding_window": 4096})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfUpperWindows(config, spec));
  spec.qkv_bias = true;
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "qwen2", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "qwen2", spec));
  return spec;
}

}  // namespace

absl::Status Register_qwen2(ArchitectureRegistry& registry);

absl::Status Register_qwen2(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Qwen2ForCausalLM",
                       .gguf_name = "qwen2",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
