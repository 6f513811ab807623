// Llama 2 and 3, and the many models that share their form (SmolLM, Yi, ...): RMS norms before
// attention and feed-forward, grouped queries, rotary positions, silu gates.

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "worker/model/architecture.h"
#include "worker/model/config_keys.h"
#include "worker/model/rope_keys.h"

namespace baton::worker {
namespace {

constexpr WeightPattern kPatterns[] = {
    {WeightSlot::kEmbedding, "model.embed_tokens.weight", "token_embd.weight"},
    {WeightSlot::kHead, "lm_head.weight", "output.weight"},
    {WeightSlot::kFinalNorm, "model.norm.weight", "output_norm.weight"},
    {WeightSlot::kRopeFactors, "", "rope_freqs.weight"},
    {WeightSlot::kAttentionNorm, "model.layers.#.input_layernorm.weight", "blk.#.attn_norm.weight"},
    {WeightSlot::kQuery, "model.layers.#.self_attn.q_proj.weight", "blk.#.attn_q.weight",
     RowTransform::kPairsToHalves},
    {WeightSlot::kKey, "model.layers.#.self_attn.k_proj.weight", "blk.#.attn_k.weight",
     RowTransform::kPairsToHalves},
    {WeightSlot::kValue, "model.layers.#.self_attn.v_proj.weight", "blk.#.attn_v.weight"},
    {WeightSlot::kQueryBias, "model.layers.#.self_attn.q_proj.bias", "blk.#.attn_q.bias",
     RowTransform::kPairsToHalves},
    {WeightSlot::kKeyBias, "model.layers.#.self_attn.k_proj.bias", "blk.#.attn_k.bias",
     RowTransform::kPairsToHalves},
    {WeightSlot::kValueBias, "model.layers.#.self_attn.v_proj.bias", "blk.#.attn_v.bias"},
    {WeightSlot::kAttentionOut, "model.layers.#.self_attn.o_proj.weight",
     "blk.#.attn_output.weight"},
    {WeightSlot::kAttentionOutBias, "model.layers.#.self_attn.o_proj.bias",
     "blk.#.attn_output.bias"},
    {WeightSlot::kMlpNorm, "model.layers.#.post_attention_layernorm.weight",
     "blk.#.ffn_norm.weight"},
    {WeightSlot::kGate, "model.layers.#.mlp.gate_proj.weight", "blk.#.ffn_gate.weight"},
    {WeightSlot::kUp, "model.layers.#.mlp.up_proj.weight", "blk.#.ffn_up.weight"},
    {WeightSlot::kDown, "model.layers.#.mlp.down_proj.weight", "blk.#.ffn_down.weight"},
    {WeightSlot::kGateBias, "model.layers.#.mlp.gate_proj.bias", "blk.#.ffn_gate.bias"},
    {WeightSlot::kUpBias, "model.layers.#.mlp.up_proj.bias", "blk.#.ffn_up.bias"},
    {WeightSlot::kDownBias, "model.layers.#.mlp.down_proj.bias", "blk.#.ffn_down.bias"},
};

constexpr std::string_view kIgnoredSuffixes[] = {".rotary_emb.inv_freq"};

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, {}, spec));
  ASSIGN_OR_RETURN(const bool attention_bias, config.GetBoolOr("attention_bias", false));
  spec.qkv_bias = attention_bias;
  spec.attention_out_bias = attention_bias;
  ASSIGN_OR_RETURN(spec.mlp_bias, config.GetBoolOr("mlp_bias", false));
  ASSIGN_OR_RETURN(const std::string activation, config.GetStringOr("hidden_act", "silu"));
  if (activation != "silu" && activation != "swish") {
    return Unimplemented("read " + config.source() + ": hidden_act=" + activation +
                         " is not supported");
  }
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "llama", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "llama", spec));
  if (spec.ropes.front().rotary_dim != spec.head_dim) {  // how its pairs lie, nobody says
    return Unimplemented(absl::StrCat(
        "read ", metadata.source(), ": llama.rope.dimension_count=", spec.ropes.front().rotary_dim,
        " of head_dim=", spec.head_dim, " is not supported"));
  }
  return spec;
}

}  // namespace

absl::Status Register_llama(ArchitectureRegistry& registry);

absl::Status Register_llama(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "LlamaForCausalLM",
                       .gguf_name = "llama",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {kPatterns, kIgnoredSuffixes}});
}

}  // namespace baton::worker
