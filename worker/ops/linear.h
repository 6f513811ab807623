// y = scale * act(x W^T + b) (+ residual), or act(x G^T + b) * (x U^T + c) for a gated layer.
//
// A row of the result has the same bits whatever the number of rows, its place among them, and the
// number of threads: each output is one sum over K, in order, restarted every 512 inputs (1,024
// above K = 1,024), the parts added in f32. At AVX-512 in bf16 these are oneDNN's bits too.
//
// Threading: every thread of a region calls it with the same arguments and its own slice; outputs
//            are split by columns. Sync before (x complete) and after (y complete) is the caller's.
#pragma once

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/activation.h"
#include "worker/ops/packed_linear.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

struct LinearArgs {
  ConstMatrix x;  // [M, inputs], of the weights' dtype
  const PackedLinear* weights = nullptr;
  // [M, outputs], f32 or bf16; must not overlap x.
  Matrix out;
  Activation activation = Activation::kNone;
  float activation_limit = 0;  // of kClampedSwiglu
  // Empty, or f32 [M, outputs] that is added; may be `out` itself. Not for gated layers.
  ConstMatrix residual = {};
  float scale = 1;
};

void Linear(const LinearArgs& args, const ComputeSlice& slice);

// Products that need not wait for each other, each with weights of its own: experts, heads. Gives
// the bits of one Linear after the other, but shares all of it out at once, by rows times columns,
// so that few columns each still keep every thread busy. Products without rows cost nothing.
void LinearGroup(absl::Span<const LinearArgs> products, const ComputeSlice& slice);

}  // namespace baton::worker
