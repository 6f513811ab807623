// The RMS norm of rows of which several ranks hold a part each: a rank's sum of squares, and the
// norm by the sum over all ranks.
//
//   SquareSums({.x = part, .out = sums}, slice);
//   ...                                             // the ranks add up `sums`
//   NormBySquareSums({.x = part, .weight = weight, .sums = sums, .whole_size = 4096}, slice);
//
// Sums are f32, of 16 strided parts that are then added in order: the same bits on every machine.
//
// Threading: every thread of a region calls them with its own slice; rows are split.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

struct SquareSumsArgs {
  ConstMatrix x;  // f32 [M, part]
  Matrix out;     // f32 [M, 1]
};

void SquareSums(const SquareSumsArgs& args, const ComputeSlice& slice);

// x = weight * x / sqrt(sums / whole_size + epsilon), in place.
struct NormBySquareSumsArgs {
  Matrix x;                        // f32 [M, part]
  absl::Span<const float> weight;  // [part]
  ConstMatrix sums;                // f32 [M, 1], of whole rows
  int64_t whole_size = 0;
  float epsilon = 1e-5f;
};

void NormBySquareSums(const NormBySquareSumsArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
