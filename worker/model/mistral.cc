// Mistral (7B, Nemo, Small): Llama with a window, in some, that every layer has. GGUF files of it
// call themselves llama. Of Mistral Small 3, which sees, the text part.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 8, "max_position_embeddings": 131072, "sliding_window": 4096})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfWindows(
      config, [](int32_t) { return true; }, spec));
  return spec;
}

absl::StatusOr<DecoderSpec> TextSpecFromHf(const JsonConfig& config) {
  ASSIGN_OR_RETURN(const JsonConfig text, ReadHfTextConfig(config, "mistral", kHfDefaults));
  return SpecFromHf(text);
}

}  // namespace

absl::Status Register_mistral(ArchitectureRegistry& registry);

absl::Status Register_mistral(ArchitectureRegistry& registry) {
  RETURN_IF_ERROR(registry.Add(
      {.hf_name = "Mistral3ForConditionalGeneration",
       .gguf_name = "",
       .spec_from_hf = TextSpecFromHf,
       .spec_from_gguf = nullptr,
       .names = {.base = kPairedNames, .text_parts = kTextParts, .other_parts = kVisionParts}}));
  return registry.Add({.hf_name = "MistralForCausalLM",
                       .gguf_name = "",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = nullptr,
                       .names = {.base = kPairedNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
