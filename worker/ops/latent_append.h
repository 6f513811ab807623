// Takes apart the two products that multi-head latent attention begins with (DeepSeek-V2 report,
// 2.1), and stores what the cache keeps of a token:
//
//   latents  [c | k]   c is normed, k turned (see rope.h): one cache row, of all heads together
//   queries  of each head [n | r]: n goes to `plain`, r is turned and goes behind the place where
//            the head's product with n will stand
//
// Threading: every thread of a region calls it with its own slice; rows are split.
#pragma once

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/rope_append.h"
#include "worker/tensor/kv_layout.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

struct LatentAppendArgs {
  ConstMatrix queries;  // f32 [M, heads * (plain_dim + rotary_dim)]
  Matrix latents;       // f32 [M, latent_dim + rotary_dim]; the norm is made in place
  ConstMatrix cos_sin;  // f32 [M, rotary_dim]
  absl::Span<const float> norm_weight;  // [latent_dim]
  float norm_epsilon = 1e-6f;
  absl::Span<const KvSlot> slots;  // one for each row
  int32_t heads = 0;
  Matrix plain;    // f32 or bf16 [M, heads * plain_dim]
  Matrix q;        // f32 [M, heads * (latent_dim + rotary_dim)]; the last rotary_dim of each head
  KvLayerView kv;  // of a latent layout
};

void LatentAppend(const LatentAppendArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
