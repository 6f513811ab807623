// OpenAI's gpt-oss 20B and 120B: every linear layer biased, a sink in each head's softmax, windows
// in every other layer, experts in MXFP4 with gates clamped on both sides.

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
    {WeightSlot::kSinks, "model.layers.#.self_attn.sinks", "blk.#.attn_sinks.weight"},
    {WeightSlot::kMlpNorm, "model.layers.#.post_attention_layernorm.weight",
     "blk.#.post_attention_norm.weight"},
    {WeightSlot::kRouter, "model.layers.#.mlp.router.weight", "blk.#.ffn_gate_inp.weight"},
    {WeightSlot::kRouterBias, "model.layers.#.mlp.router.bias", "blk.#.ffn_gate_inp.bias"},
    // As released: rows of gate and up by turns, in blocks with their scales beside them.
    {WeightSlot::kExpertGate, "model.layers.#.mlp.experts.gate_up_proj_blocks", "",
     RowTransform::kNone, Fusion::kInTurn, Stacking::kMxfp4},
    {WeightSlot::kExpertUp, "model.layers.#.mlp.experts.gate_up_proj_blocks", "",
     RowTransform::kNone, Fusion::kInTurn, Stacking::kMxfp4},
    {WeightSlot::kExpertDown, "model.layers.#.mlp.experts.down_proj_blocks", "",
     RowTransform::kNone, Fusion::kAlone, Stacking::kMxfp4},
    // Dequantised, as fine-tunes have it: inputs by outputs.
    {WeightSlot::kExpertGate, "model.layers.#.mlp.experts.gate_up_proj", "", RowTransform::kNone,
     Fusion::kInTurn, Stacking::kColumns},
    {WeightSlot::kExpertUp, "model.layers.#.mlp.experts.gate_up_proj", "", RowTransform::kNone,
     Fusion::kInTurn, Stacking::kColumns},
    {WeightSlot::kExpertDown, "model.layers.#.mlp.experts.down_proj", "", RowTransform::kNone,
     Fusion::kAlone, Stacking::kColumns},
    {WeightSlot::kExpertGateBias, "model.layers.#.mlp.experts.gate_up_proj_bias", "",
     RowTransform::kNone, Fusion::kInTurn, Stacking::kRows},
    {WeightSlot::kExpertUpBias, "model.layers.#.mlp.experts.gate_up_proj_bias", "",
     RowTransform::kNone, Fusion::kInTurn, Stacking::kRows},
    {WeightSlot::kExpertDownBias, "model.layers.#.mlp.experts.down_proj_bias", "",
     RowTransform::kNone, Fusion::kAlone, Stacking::kRows},
    {WeightSlot::kExpertGate, "", "blk.#.ffn_gate_exps.weight", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kExpertUp, "", "blk.#.ffn_up_exps.weight", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kExpertDown, "", "blk.#.ffn_down_exps.weight", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kExpertGateBias, "", "blk.#.ffn_gate_exps.bias", RowTransform::kNone,
     Fusion::kAlone, Stacking::kRows},
    {WeightSlot::kExpertUpBias, "", "blk.#.ffn_up_exps.bias", RowTransform::kNone, Fusion::kAlone,
     Stacking::kRows},
    {WeightSlot::kExpertDownBias, "", "blk.#.ffn_down_exps.bias", RowTransform::kNone,
     Fusion::kAlone, Stacking::kRows},
};

// What all of the family share.
void SetFamily(DecoderSpec& spec) {
  spec.qkv_bias = true;
  spec.attention_out_bias = true;
  spec.attention_sinks = true;
  spec.activation = Activation::kClampedSwiglu;
  spec.activation_limit = 7;
  spec.moe.routing.scoring = MoeScoring::kChosenSoftmax;
  spec.moe.router_bias = true;
  spec.moe.expert_bias = true;
}

constexpr std::string_view kHfDefaults =
    R"({"num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-5, "sliding_window": 128, "swiglu_limit": 7,
        "num_local_experts": 128, "num_experts_per_tok": 4, "rope_theta": 150000,
        "rope_parameters": {"rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1,
                            "truncate": false, "original_max_position_embeddings": 4096}})";

absl::StatusOr<DecoderSpec> SpecFromHf(const JsonConfig& config) {
  DecoderSpec spec;
  RETURN_IF_ERROR(RefuseHfQuantization(config, /*known=*/"mxfp4"));
  RETURN_IF_ERROR(ReadHfSizes(config, spec));
  RETURN_IF_ERROR(ReadHfRope(config, spec));
  RETURN_IF_ERROR(ReadHfExperts(config, spec));
  RETURN_IF_ERROR(ReadHfWindows(
      config, [](int32_t layer) { return layer % 2 == 0; }, spec));
  SetFamily(spec);
  ASSIGN_OR_RETURN(spec.activation_limit, config.GetFloat("swiglu_limit"));
  spec.moe.expert_size = spec.intermediate_size;
  for (LayerSpec& layer : spec.layers) layer.feed_forward = FeedForwardKind::kExperts;
  return spec;
}

absl::StatusOr<DecoderSpec> SpecFromGguf(const GgufMetadata& metadata) {
  DecoderSpec spec;
  RETURN_IF_ERROR(ReadGgufSizes(metadata, "gpt-oss", spec));
  RETURN_IF_ERROR(ReadGgufRope(metadata, "gpt-oss", spec));
  RETURN_IF_ERROR(ReadGgufExperts(metadata, "gpt-oss", spec));
  SetFamily(spec);
  // The file does not say that the ramp's ends stay fractions.
  auto* yarn = std::get_if<YarnRopeScaling>(&spec.ropes.front().scaling);
  if (yarn != nullptr) yarn->truncate = false;
  ASSIGN_OR_RETURN(const int32_t window,
                   GgufSizeOr(metadata, "gpt-oss.attention.sliding_window", 0));
  for (size_t layer = 0; layer < spec.layers.size(); layer += 2) spec.layers[layer].window = window;
  return spec;
}

}  // namespace

absl::Status Register_gpt_oss(ArchitectureRegistry& registry);

absl::Status Register_gpt_oss(ArchitectureRegistry& registry) {
  return registry.Add({.hf_name = "GptOssForCausalLM",
                       .gguf_name = "gpt-oss",
                       .spec_from_hf = SpecFromHf,
                       .spec_from_gguf = SpecFromGguf,
                       .names = {.patterns = kPatterns, .base = kPlainNames},
                       .hf_defaults = kHfDefaults});
}

}  // namespace baton::worker
