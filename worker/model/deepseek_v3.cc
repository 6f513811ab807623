// DeepSeek V3 and R1, Kimi K2: attention over latents, sigmoid routing in groups, experts that all
// rows share, dense layers in front.

#include <cmath>

#include "absl/strings/str_cat.h"
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
    {WeightSlot::kQuery, "model.layers.#.self_attn.q_proj.weight", "blk.#.attn_q.weight",
     RowTransform::kPairsToHalves},
    {WeightSlot::kQueryDown, "model.layers.#.self_attn.q_a_proj.weight", "blk.#.attn_q_a.weight"},
    {WeightSlot::kQueryLatentNorm, "model.layers.#.self_attn.q_a_layernorm.weight",
     "blk.#.attn_q_a_norm.weight"},
    {WeightSlot::kQueryUp, "model.layers.#.self_attn.q_b_proj.weight", "blk.#.attn_q_b.weight",
     RowTransform::kPairsToHalves},
    {WeightSlot::kLatentDown, "model.layers.#.self_attn.kv_a_proj_with_mqa.weight",
     "blk.#.attn_kv_a_mqa.weight", RowTransform::kPairsToHalves},
    {WeightSlot::kLatentNorm, "model.layers.#.self_attn.kv_a_layernorm.weight",
     "blk.#.attn_kv_a_norm.weight"},
    // One tensor, a head's keys above its values: to be absorbed, keys are taken by columns.
    {WeightSlot::kKeyUp, "model.layers.#.self_attn.kv_b_proj.weight", "blk.#.attn_kv_b.weight",
     RowTransform::kNone, Fusion::kFused, Stacking::kColumns},
    {WeightSlot::kValueUp, "model.layers.#.self_attn.kv_b_proj.weight", "blk.#.attn_kv_b.weight",
     RowTransform::kNone, Fusion::kFused, Stacking::kRows},
    // Or two that are ready for it.
    {WeightSlot::kKeyUp, "", "blk.#.attn_k_b.weight", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kValueUp, "", "blk.#.attn_v_b.weight", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kRouterCorrection, "model.layers.#.mlp.gate.e_score_correction_bias",
     "blk.#.exp_probs_b.bias"},
    {WeightSlot::kSharedGate, "model.layers.#.mlp.shared_experts.gate_proj.weight",
     "blk.#.ffn_gate_shexp.weight"},
    {WeightSlot::kSharedUp, "model.layers.#.mlp.shared_experts.up_proj.weight",
     "blk.#.ffn_up_shexp.weight"},
    {WeightSlot::kSharedDown, "model.layers.#.mlp.shared_experts.down_proj.weight",
     "blk.#.ffn_down_shexp.weight"},
};

// GGUF's number for sigmoid scores; 1 is softmax.
constexpr int64_t kGgufSigmoid = 2;

absl::Status SetSharedExperts(int32_t count, DecoderSpec& spec) {
  const int64_t size = int64_t{count} * spec.moe.expert_size;
  if (size <= INT32_MAX) {
    spec.moe.shared_size = static_cast<int32_t>(size);
    return absl::OkStatus();
  }
  return InvalidArgument(
      absl::StrCat("read model configuration: shared experts=", count, " are too many"));
}

// Sets what follows from the sizes of queries, keys and values. yarn raises the scale by the square
// of `magnitude`.
void SetLatent(const LatentSpec& latent, double magnitude, DecoderSpec& spec) {
  spec.attention = AttentionKind::kLatent;
  spec.latent = latent;
  spec.head_dim = latent.plain_dim + latent.rotary_dim;
  spec.kv_head_count = spec.head_count;
  spec.attention_scale = magnitude * magnitude / std::sqrt(static_cast<double>(spec.head_dim));
}

// 0.1 mscale_all_dim ln(factor) + 1.
absl::StatusOr<double> MagnitudeFromHf(const JsonConfig& config, const RopeConfig& rope) {
  const auto* yarn = std::get_if<YarnRopeScaling>(&rope.scaling);
  if (yarn == nullptr || yarn->factor <= 1) return 1.0;
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    ASSIGN_OR_RETURN(const std::optional<JsonConfig> object, config.GetObject(key));
    if (!object.has_value()) continue;
    ASSIGN_OR_RETURN(const double all_dims, object->GetFloatOr("mscale_all_dim", 0));
    return 0.1 * all_dims * std::log(yarn->factor) + 1;
  }
  return 1.0;
}

absl::Status ReadHfAttention(const JsonConfig& config, DecoderSpec& spec) {
  LatentSpec latent;
  ASSIGN_OR_RETURN(latent.q_rank, HfSizeOr(config, "q_lora_rank", 0));
  ASSIGN_OR_RETURN(latent.kv_rank, HfSize(config, "kv_lora_rank"));
  ASSIGN_OR_RETURN(latent.plain_dim, HfSize(config, "qk_nope_head_dim"));
  ASSIGN_OR_RETURN(latent.rotary_dim, HfSize(config, "qk_rope_head_dim"));
  ASSIGN_OR_RETURN(latent.value_dim, HfSize(config, "v_head_dim"));
  spec.head_dim = latent.rotary_dim;  // what the rope turns
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  ASSIGN_OR_RETURN(const bool interleaved, config.GetBoolOr("rope_interleave", false));
  if (interleaved) spec.rope_layout = RopeLayout::kInterleaved;
  ASSIGN_OR_RETURN(const bool biased, config.GetBoolOr("attention_bias", false));
  if (biased) {
    return Unimplemented("read " + config.source() + ": attention_bias=true is not supported here");
  }
  ASSIGN_OR_RETURN(const double magnitude, MagnitudeFromHf(config, spec.ropes.front()));
  SetLatent(latent, magnitude, spec);
  return absl::OkStatus();
}

absl::Status ReadHfRouting(const JsonConfig& config, DecoderSpec& spec) {
  MoeRouting& routing = spec.moe.routing;
  RETURN_IF_ERROR(ReadHfExperts(config, spec));
  ASSIGN_OR_RETURN(const std::string scoring, config.GetStringOr("scoring_func", "sigmoid"));
  if (scoring != "sigmoid") {
    return Unimplemented(
        absl::StrCat("read ", config.source(), ": scoring_func=", scoring, " is not supported"));
  }
  routing.scoring = MoeScoring::kSigmoid;
  ASSIGN_OR_RETURN(routing.normalised, config.GetBoolOr("norm_topk_prob", false));
  ASSIGN_OR_RETURN(routing.group_count, HfSize(config, "n_group"));
  ASSIGN_OR_RETURN(routing.kept_group_count, HfSize(config, "topk_group"));
  ASSIGN_OR_RETURN(routing.scale, config.GetFloat("routed_scaling_factor"));
  spec.moe.correction = true;
  ASSIGN_OR_RETURN(spec.moe.expert_size, HfSize(config, "moe_intermediate_size"));
  ASSIGN_OR_RETURN(const int32_t shared, HfSizeOr(config, "n_shared_experts", 0));
  RETURN_IF_ERROR(SetSharedExperts(shared, spec));
  ASSIGN_OR_RETURN(const int32_t dense, HfSizeOr(config, "first_k_dense_replace", 0));
  ASSIGN_OR_RETURN(const int32_t step, HfSizeOr(config, "moe_layer_freq", 1));
  for (int32_t layer = dense; layer < spec.layer_count; ++layer) {
    if (step > 1 && layer % step != 0) continue;
    spec.layers[static_cast<size_t>(layer)].feed_forward = FeedForwardKind::kExperts;
  }
  return absl::OkStatus();
}

constexpr std::string_view kHfDefaults =
    R"({"max_position_embeddings": 4096, "q_lora_rank": 1536, "kv_lora_rank": 512,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
        "n_group": 8, "topk_group": 4, "n_shared_experts": 1, "first_k_dense_replace": 3,
        "norm_topk_prob": true, "routed_scaling_factor": 2.5, "rope_interleave": true,
        "num_nextn_predict_layers": 1})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfActivation(config, "hidden_act", spec));
  RETURN_IF_ERROR(ReadHfAttention(config, spec));
  RETURN_IF_ERROR(ReadHfRouting(config, spec));
  // Layers that guess tokens further ahead, which this decoder does not use.
  ASSIGN_OR_RETURN(spec.unused_layer_count, HfSizeOr(config, "num_nextn_predict_layers", 0));
  return spec;
}

absl::Status ReadGgufAttention(const GgufMetadata& metadata, DecoderSpec& spec) {
  const std::string prefix = "deepseek2.attention.";
  LatentSpec latent;
  ASSIGN_OR_RETURN(latent.q_rank, GgufSizeOr(metadata, prefix + "q_lora_rank", 0));
  ASSIGN_OR_RETURN(latent.kv_rank, GgufSize(metadata, prefix + "kv_lora_rank"));
  ASSIGN_OR_RETURN(latent.rotary_dim, GgufSize(metadata, "deepseek2.rope.dimension_count"));
  // Newer files call the cache's row the key, and say what heads have besides.
  const bool newer = metadata.Has(prefix + "key_length_mla");
  ASSIGN_OR_RETURN(const int32_t key_dim,
                   GgufSize(metadata, prefix + (newer ? "key_length_mla" : "key_length")));
  ASSIGN_OR_RETURN(latent.value_dim,
                   GgufSize(metadata, prefix + (newer ? "value_length_mla" : "value_length")));
  latent.plain_dim = key_dim - latent.rotary_dim;
  spec.head_dim = latent.rotary_dim;
  RETURN_IF_ERROR(ReadGgufRope(metadata, "deepseek2", spec));
  double magnitude = 1;
  if (const auto* yarn = std::get_if<YarnRopeScaling>(&spec.ropes.front().scaling)) {
    ASSIGN_OR_RETURN(const double per_log,
                     metadata.GetFloatOr("deepseek2.rope.scaling.yarn_log_multiplier", 0));
    magnitude = 1 + per_log * std::log(yarn->factor);
    spec.ropes.front().amplitude = 1;  // both of yarn's magnitudes are equal in this family
  }
  SetLatent(latent, magnitude, spec);
  return absl::OkStatus();
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "deepseek2", spec));
  RETURN_IF_ERROR(ReadGgufAttention(metadata, spec));
  RETURN_IF_ERROR(ReadGgufExperts(metadata, "deepseek2", spec));
  ASSIGN_OR_RETURN(const int64_t gating,
                   metadata.GetUintOr("deepseek2.expert_gating_func", kGgufSigmoid - 1));
  if (gating != kGgufSigmoid) {
    return Unimplemented(absl::StrCat("read ", metadata.source(), ": deepseek2.expert_gating_func=",
                                      gating, " (DeepSeek V2) is not supported"));
  }
  MoeRouting& routing = spec.moe.routing;
  routing.scoring = MoeScoring::kSigmoid;
  ASSIGN_OR_RETURN(routing.normalised, metadata.GetBoolOr("deepseek2.expert_weights_norm", false));
  ASSIGN_OR_RETURN(routing.scale, metadata.GetFloatOr("deepseek2.expert_weights_scale", 1));
  ASSIGN_OR_RETURN(routing.group_count, GgufSizeOr(metadata, "deepseek2.expert_group_count", 1));
  ASSIGN_OR_RETURN(routing.kept_group_count,
                   GgufSizeOr(metadata, "deepseek2.expert_group_used_count", 1));
  spec.moe.correction = true;
  ASSIGN_OR_RETURN(const int32_t shared, GgufSizeOr(metadata, "deepseek2.expert_shared_count", 0));
  RETURN_IF_ERROR(SetSharedExperts(shared, spec));
  return spec;
}

}  // namespace

absl::Status Register_deepseek_v3(ArchitectureRegistry& registry);

absl::Status Register_deepseek_v3(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "DeepseekV3ForCausalLM",
                       .gguf_name = "deepseek2",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainExpertNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
