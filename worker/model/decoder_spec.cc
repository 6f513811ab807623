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

absl::Status CheckRope(const RopeConfig& rope, int32_t head_dim) {
  RETURN_IF_ERROR(CheckNumber("rope theta", rope.theta));
  if (rope.rotary_dim < 2 || rope.rotary_dim > head_dim || rope.rotary_dim % 2 != 0) {
    return InvalidArgument(absl::StrCat("read model configuration: rotary dim=", rope.rotary_dim,
                                        " is not even in 2 to ", head_dim));
  }
  if (!rope.llama3.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckNumber("rope factor", rope.llama3->factor));
  RETURN_IF_ERROR(CheckNumber("rope low_freq_factor", rope.llama3->low_freq_factor));
  RETURN_IF_ERROR(CheckNumber("rope high_freq_factor", rope.llama3->high_freq_factor));
  RETURN_IF_ERROR(
      CheckNumber("rope original_max_position_embeddings", rope.llama3->original_max_positions));
  if (rope.llama3->high_freq_factor > rope.llama3->low_freq_factor) return absl::OkStatus();
  return InvalidArgument(
      "read model configuration: rope high_freq_factor is not above "
      "low_freq_factor");
}

}  // namespace

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
  if (!spec.windows.empty() && spec.windows.size() != static_cast<size_t>(spec.layer_count)) {
    return InvalidArgument(absl::StrCat("read model configuration: ", spec.windows.size(),
                                        " windows for ", spec.layer_count, " layers"));
  }
  RETURN_IF_ERROR(CheckNumber("norm epsilon", spec.norm_epsilon));
  RETURN_IF_ERROR(CheckNumber("attention scale", spec.attention_scale));
  RETURN_IF_ERROR(CheckNumber("rope factor", spec.rope_linear_factor));
  return CheckRope(spec.rope, spec.head_dim);
}

absl::Status CheckSupported(const DecoderSpec& spec) {
  const bool windowed = std::any_of(spec.windows.begin(), spec.windows.end(),
                                    [](int32_t window) { return window != 0; });
  const std::array<std::pair<bool, std::string_view>, 16> refusals = {{
      {spec.norm != NormKind::kRms, "a norm other than RMS"},
      {spec.norm_placement != NormPlacement::kPre, "norms behind the sublayers"},
      {spec.qk_norm != QkNorm::kNone, "norms of queries and keys"},
      {spec.rope_layout != RopeLayout::kHalfSplit, "interleaved rotary positions"},
      {spec.local_rope.has_value(), "a second rotary base"},
      {spec.attention_soft_cap != 0, "soft-capped attention"},
      {spec.attention_sinks, "attention sinks"},
      {windowed, "sliding windows"},
      {spec.activation != Activation::kSilu, "an activation other than silu"},
      {!spec.gated_mlp, "a feed-forward layer without gate"},
      {spec.expert_count != 0, "experts"},
      {spec.embedding_scale != 1, "scaled embeddings"},
      {spec.logit_scale != 1, "scaled logits"},
      {spec.logit_soft_cap != 0, "soft-capped logits"},
      {spec.head_dim % 8 != 0, "a head_dim that is no multiple of 8"},
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
