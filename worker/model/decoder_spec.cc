#include "worker/model/decoder_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

// Far above every model there is; products of any three of them fit 64 bits.
constexpr int32_t kSizeMax = 1 << 20;
constexpr int32_t kVocabSizeMax = 1 << 22;
constexpr int32_t kPositionsMax = 1 << 27;
constexpr int32_t kLayerCountMax = 1 << 12;
constexpr int32_t kExpertsOfModelMax = 1 << 17;  // a plan of weights has rows for each

absl::Status CheckRange(std::string_view name, int64_t value, int64_t max) {
  if (value >= 1 && value <= max) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("read model configuration: ", ToAbsl(name), "=", value,
                                      " is not in 1 to ", max));
}

absl::Status CheckNumber(std::string_view name, double value) {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("read model configuration: ", ToAbsl(name), "=", value, " is not positive"));
}

// What each kind of rope scaling must hold.
struct ScalingCheck {
  const RopeConfig& rope;

  absl::Status operator()(std::monostate) const { return absl::OkStatus(); }
  absl::Status operator()(const LinearRopeScaling& scaling) const {
    return CheckNumber("rope factor", scaling.factor);
  }
  absl::Status operator()(const DynamicRopeScaling& scaling) const {
    RETURN_IF_ERROR(CheckNumber("rope factor", scaling.factor));
    return CheckOriginal(scaling.original_max_positions);
  }
  absl::Status operator()(const Llama3RopeScaling& scaling) const {
    RETURN_IF_ERROR(CheckNumber("rope factor", scaling.factor));
    RETURN_IF_ERROR(CheckNumber("rope low_freq_factor", scaling.low_freq_factor));
    RETURN_IF_ERROR(CheckNumber("rope high_freq_factor", scaling.high_freq_factor));
    RETURN_IF_ERROR(CheckOriginal(scaling.original_max_positions));
    if (scaling.high_freq_factor > scaling.low_freq_factor) return absl::OkStatus();
    return InvalidArgument(
        "read model configuration: rope high_freq_factor is not above low_freq_factor");
  }
  absl::Status operator()(const YarnRopeScaling& scaling) const {
    RETURN_IF_ERROR(CheckNumber("rope factor", scaling.factor));
    RETURN_IF_ERROR(CheckNumber("rope beta_fast", scaling.beta_fast));
    RETURN_IF_ERROR(CheckNumber("rope beta_slow", scaling.beta_slow));
    RETURN_IF_ERROR(CheckOriginal(scaling.original_max_positions));
    if (rope.theta > 1) return absl::OkStatus();
    return InvalidArgument("read model configuration: rope theta of yarn is not above 1");
  }
  absl::Status operator()(const LongRopeScaling& scaling) const {
    RETURN_IF_ERROR(CheckOriginal(scaling.original_max_positions));
    RETURN_IF_ERROR(CheckFactors("rope short_factor", scaling.short_factors));
    return CheckFactors("rope long_factor", scaling.long_factors);
  }

  static absl::Status CheckOriginal(double positions) {
    return CheckNumber("rope original_max_position_embeddings", positions);
  }
  // An empty list comes with the weights, and is checked there.
  absl::Status CheckFactors(std::string_view name, const std::vector<float>& factors) const {
    for (const float factor : factors) RETURN_IF_ERROR(CheckNumber(name, factor));
    if (factors.empty() || factors.size() == static_cast<size_t>(rope.rotary_dim / 2)) {
      return absl::OkStatus();
    }
    return InvalidArgument(absl::StrCat("read model configuration: ", ToAbsl(name), " has ",
                                        factors.size(), " numbers/", rope.rotary_dim / 2));
  }
};

absl::Status CheckRope(const RopeConfig& rope, int32_t head_dim) {
  RETURN_IF_ERROR(CheckNumber("rope theta", rope.theta));
  RETURN_IF_ERROR(CheckNumber("rope attention_factor", rope.amplitude));
  if (rope.rotary_dim < 2 || rope.rotary_dim > head_dim || rope.rotary_dim % 2 != 0) {
    return InvalidArgument(absl::StrCat("read model configuration: rotary dim=", rope.rotary_dim,
                                        " is not even in 2 to ", head_dim));
  }
  return std::visit(ScalingCheck{rope}, rope.scaling);
}

absl::Status CheckLatent(const LatentSpec& latent) {
  if (latent.q_rank != 0) RETURN_IF_ERROR(CheckRange("q_lora_rank", latent.q_rank, kSizeMax));
  RETURN_IF_ERROR(CheckRange("kv_lora_rank", latent.kv_rank, kSizeMax));
  RETURN_IF_ERROR(CheckRange("qk_nope_head_dim", latent.plain_dim, kLayerCountMax));
  RETURN_IF_ERROR(CheckRange("qk_rope_head_dim", latent.rotary_dim, kLayerCountMax));
  return CheckRange("v_head_dim", latent.value_dim, kLayerCountMax);
}

absl::Status CheckExperts(const MoeSpec& moe) {
  const MoeRouting& routing = moe.routing;
  RETURN_IF_ERROR(CheckRange("experts", routing.expert_count, kExpertCountMax));
  RETURN_IF_ERROR(
      CheckRange("experts of a token", routing.experts_per_token, routing.expert_count));
  RETURN_IF_ERROR(CheckRange("moe_intermediate_size", moe.expert_size, kSizeMax));
  if (moe.shared_size != 0) {
    RETURN_IF_ERROR(CheckRange("size of shared experts", moe.shared_size, kSizeMax));
  }
  RETURN_IF_ERROR(CheckNumber("scale of experts", routing.scale));
  RETURN_IF_ERROR(CheckRange("n_group", routing.group_count, routing.expert_count));
  RETURN_IF_ERROR(CheckRange("topk_group", routing.kept_group_count, routing.group_count));
  const int32_t group_size = routing.expert_count / routing.group_count;
  const bool even = routing.expert_count % routing.group_count == 0;
  if (even && group_size * routing.kept_group_count >= routing.experts_per_token) {
    return absl::OkStatus();
  }
  return InvalidArgument(absl::StrCat("read model configuration: experts=", routing.expert_count,
                                      " in ", routing.group_count, " groups of which ",
                                      routing.kept_group_count, " are kept do not give ",
                                      routing.experts_per_token, " to a token"));
}

absl::Status CheckLayers(const DecoderSpec& spec) {
  if (spec.layers.size() != static_cast<size_t>(spec.layer_count)) {
    return InvalidArgument(absl::StrCat("read model configuration: ", spec.layers.size(),
                                        " layers described of ", spec.layer_count));
  }
  const auto with_experts = std::count_if(
      spec.layers.begin(), spec.layers.end(),
      [](const LayerSpec& layer) { return layer.feed_forward == FeedForwardKind::kExperts; });
  const int64_t experts = with_experts * spec.moe.routing.expert_count;
  if (experts != 0) {
    RETURN_IF_ERROR(CheckRange("layers times experts", experts, kExpertsOfModelMax));
  }
  for (const LayerSpec& layer : spec.layers) {
    if (layer.window != 0) RETURN_IF_ERROR(CheckRange("window", layer.window, kPositionsMax));
    if (layer.feed_forward == FeedForwardKind::kExperts) RETURN_IF_ERROR(CheckExperts(spec.moe));
    const bool known = layer.rope == kNoRope ||
                       (layer.rope >= 0 && static_cast<size_t>(layer.rope) < spec.ropes.size());
    if (!known) {
      return InvalidArgument(
          absl::StrCat("read model configuration: a layer has rope=", layer.rope));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetLayerCount(int64_t count, DecoderSpec& spec) {
  RETURN_IF_ERROR(CheckRange("layers", count, kLayerCountMax));
  spec.layer_count = static_cast<int32_t>(count);
  spec.layers.assign(static_cast<size_t>(count), LayerSpec());
  return absl::OkStatus();
}

absl::Status CheckSizes(const DecoderSpec& spec) {
  RETURN_IF_ERROR(CheckRange("vocab_size", spec.vocab_size, kVocabSizeMax));
  RETURN_IF_ERROR(CheckRange("hidden_size", spec.hidden_size, kSizeMax));
  RETURN_IF_ERROR(CheckRange("intermediate_size", spec.intermediate_size, kSizeMax));
  RETURN_IF_ERROR(CheckRange("layers", spec.layer_count, kLayerCountMax));
  RETURN_IF_ERROR(CheckRange("heads", spec.head_count, kLayerCountMax));
  RETURN_IF_ERROR(CheckRange("kv heads", spec.kv_head_count, spec.head_count));
  RETURN_IF_ERROR(CheckRange("head_dim", spec.head_dim, kLayerCountMax));
  RETURN_IF_ERROR(CheckRange("positions", spec.max_positions, kPositionsMax));
  if (spec.head_count % spec.kv_head_count != 0) {
    return InvalidArgument(absl::StrCat("read model configuration: heads=", spec.head_count,
                                        " is no multiple of kv heads=", spec.kv_head_count));
  }
  RETURN_IF_ERROR(CheckNumber("norm epsilon", spec.norm_epsilon));
  RETURN_IF_ERROR(CheckNumber("attention scale", spec.attention_scale));
  RETURN_IF_ERROR(CheckNumber("embedding scale", spec.embedding_scale));
  RETURN_IF_ERROR(CheckNumber("residual scale", spec.residual_scale));
  RETURN_IF_ERROR(CheckNumber("logit scale", spec.logit_scale));
  if (spec.activation == Activation::kClampedSwiglu) {
    RETURN_IF_ERROR(CheckNumber("activation limit", spec.activation_limit));
  }
  if (spec.attention == AttentionKind::kLatent) RETURN_IF_ERROR(CheckLatent(spec.latent));
  RETURN_IF_ERROR(CheckLayers(spec));
  for (const RopeConfig& rope : spec.ropes) RETURN_IF_ERROR(CheckRope(rope, spec.head_dim));
  return absl::OkStatus();
}

absl::Status CheckSupported(const DecoderSpec& spec) {
  const bool latent = spec.attention == AttentionKind::kLatent;
  const bool windowed = std::any_of(spec.layers.begin(), spec.layers.end(),
                                    [](const LayerSpec& layer) { return layer.window != 0; });
  const std::array<std::pair<bool, std::string_view>, 6> refusals = {{
      {spec.norm == NormKind::kLayer, "a norm other than RMS"},
      {!spec.gated_mlp, "a feed-forward layer without gate"},
      {latent && windowed, "windows over latents"},
      {latent && (spec.latent.plain_dim % 2 != 0 || spec.latent.value_dim % 2 != 0),
       "heads of odd width"},
      {!latent && spec.head_dim % 8 != 0, "a head_dim that is no multiple of 8"},
      {spec.hidden_size % 2 != 0 || spec.intermediate_size % 2 != 0, "layers of odd width"},
  }};
  for (const auto& [refused, what] : refusals) {
    if (!refused) continue;
    return Unimplemented(absl::StrCat("load model: architecture=", spec.architecture, " with ",
                                      ToAbsl(what), " is not supported"));
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
