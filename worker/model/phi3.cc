// Phi 3, 3.5 and 4: queries, keys and values in one tensor, gate and up in another; longrope; on
// Phi-4-mini only part of a head turns.

#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"
#include "worker/model/weight_names.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {
    {WeightSlot::kQuery, "model.layers.#.self_attn.qkv_proj.weight", "blk.#.attn_qkv.weight",
     RowTransform::kNone, Fusion::kFused},
    {WeightSlot::kKey, "model.layers.#.self_attn.qkv_proj.weight", "blk.#.attn_qkv.weight",
     RowTransform::kNone, Fusion::kFused},
    {WeightSlot::kValue, "model.layers.#.self_attn.qkv_proj.weight", "blk.#.attn_qkv.weight",
     RowTransform::kNone, Fusion::kFused},
    {WeightSlot::kGate, "model.layers.#.mlp.gate_up_proj.weight", "blk.#.ffn_up.weight",
     RowTransform::kNone, Fusion::kFused},
    {WeightSlot::kUp, "model.layers.#.mlp.gate_up_proj.weight", "blk.#.ffn_up.weight",
     RowTransform::kNone, Fusion::kFused},
    {WeightSlot::kRopeShortFactors, "", "rope_factors_short.weight"},
    {WeightSlot::kRopeLongFactors, "", "rope_factors_long.weight"},
};

bool Slides(int32_t) { return true; }

constexpr std::string_view kHfDefaults =
    R"({"max_position_embeddings": 4096, "original_max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfWindows(config, Slides, spec));
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "phi3", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "phi3", spec));
  RETURN_IF_ERROR(ReadGgufWindows(metadata, "phi3", Slides, spec));
  // The factors are tensors, in files that have any.
  ASSIGN_OR_RETURN(const uint64_t original,
                   metadata.GetUintOr("phi3.rope.scaling.original_context_length",
                                      static_cast<uint64_t>(spec.max_positions)));
  spec.ropes.front().scaling =
      LongRopeScaling{.original_max_positions = static_cast<double>(original)};
  return spec;
}

}  // namespace

absl::Status Register_phi3(ArchitectureRegistry& registry);

absl::Status Register_phi3(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "Phi3ForCausalLM",
                       .gguf_name = "phi3",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
