// out = weight * x / sqrt(mean(x^2) + epsilon) (+ residual), in f32, rounded once to the type of
// `out` (Zhang and Sennrich 2019; transformers' LlamaRMSNorm).
//
// Threading: every thread of a region calls it with its own slice; rows are split.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

struct RmsNormArgs {
  Matrix x;                        // f32 [M, hidden]: the residual stream
  absl::Span<const float> weight;  // [hidden]
  float epsilon = 1e-5f;
  Matrix out;  // f32 or bf16 [M, hidden]; may be x itself if f32
  // Empty, or f32 [M, hidden]: first x += add, which is stored.
  ConstMatrix add = {};
  // Empty, or f32 [M, hidden]: added to the result; may be `out` itself.
  ConstMatrix residual = {};
  // Empty, or the rows of x to take, one for each row of `out`; then `add` must be empty.
  absl::Span<const int32_t> rows = {};
};

void RmsNorm(const RmsNormArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
