// What is done to one number after the other.
//
// Threading: every thread of a region calls them with its own slice.
#pragma once

#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// out = x, rounded once to the type of `out`.
struct ConvertArgs {
  ConstMatrix x;  // f32
  Matrix out;     // f32 or bf16, of the same shape
};
void Convert(const ConvertArgs& args, const ComputeSlice& slice);

// x = cap * tanh(x / cap): Gemma 2's bound of scores and logits.
struct SoftCapArgs {
  Matrix x;  // f32
  float cap = 0;
};
void SoftCap(const SoftCapArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
