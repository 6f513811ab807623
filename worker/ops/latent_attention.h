// Causal attention in the space of latents (DeepSeek-V2 report, 2.1.2 and appendix C): with the
// up-projections of keys and values absorbed into queries and outputs, all heads read one row [c|k]
// for each token. For a query q = [a | r] of a head at position p
//
//   out = softmax(scale * (a C[0..p]^T + r K[0..p]^T)) C[0..p]
//
// Scores, weights and sums are f32, the cache may be smaller: rows are widened. Bits depend on the
// row's own history and on nothing else: tiles of 64 positions, partial results of 512, joined in
// order, as attention.h.
//
// Threading: every thread of a region calls it with its own slice; may Sync inside.
#pragma once

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/attention.h"
#include "worker/tensor/kv_layout.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Builds a plan for this op, once per step: heads are taken in groups that share the rows they
// read.
void BuildLatentPlan(absl::Span<const AttentionRun> runs, int32_t heads, const KvLayout& layout,
                     int thread_count, AttentionPlan& plan);

struct LatentAttentionArgs {
  ConstMatrix q;  // f32 [M, heads * head_dim of the cache]
  KvLayerView kv;
  AttentionPlan* plan = nullptr;  // from BuildLatentPlan, for this step and thread count
  float scale = 1;
  Matrix out;  // f32 or bf16 [M, heads * latent_dim]
};

void LatentAttention(const LatentAttentionArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
