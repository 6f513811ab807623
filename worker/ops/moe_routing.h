// Which experts a row is sent to, and how much each of their answers counts.
//
//   kSoftmax        p = softmax(logits), the k largest; normalised: p / sum of the k
//                   (Mixtral, Qwen 3 MoE; transformers' MixtralTopKRouter, Qwen3MoeTopKRouter)
//   kChosenSoftmax  the k largest logits, softmax over those alone (GptOssTopKRouter)
//   kSigmoid        s = sigmoid(logits), chosen by c = s + correction: a group of experts scores
//   the
//                   sum of its two largest c, the best groups stay, of them the k largest c.
//                   Weights are s; normalised: s / (sum of the k + 1e-20). (DeepSeek-V3
//                   report, 2.1.2; DeepseekV3TopkRouter)
//
// and then times `scale`. Of equal experts the first one wins. Chosen experts stand in the order of
// what they were chosen by, the largest first. All in f32 with sums in double; a row's result
// depends on its own logits alone.
//
// Threading: every thread of a region calls it with its own slice; rows are split.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

enum class MoeScoring : uint8_t { kSoftmax, kChosenSoftmax, kSigmoid };

struct MoeRouting {
  MoeScoring scoring = MoeScoring::kSoftmax;
  int32_t expert_count = 0;  // at most kExpertCountMax
  int32_t experts_per_token = 0;
  bool normalised = false;
  // Groups are runs of experts, all of one size; 1 of 1: no groups. Only for kSigmoid.
  int32_t group_count = 1;
  int32_t kept_group_count = 1;
  double scale = 1;
};

inline constexpr int32_t kExpertCountMax = 1024;

struct MoeRoutingArgs {
  const MoeRouting* routing = nullptr;
  ConstMatrix logits;                       // f32 [M, experts]
  absl::Span<const float> correction = {};  // empty, or [experts]; kSigmoid
  absl::Span<int32_t> experts;              // out: [M * experts_per_token]
  absl::Span<float> weights;                // out: likewise
};

void RouteToExperts(const MoeRoutingArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
