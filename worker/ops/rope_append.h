// Takes a row of the qkv product apart: queries and keys are normed head by head where a model has
// such norms, then turned (see rope.h); queries go to `q` for the attention, keys and values into
// the paged cache.
//
// Threading: every thread of a region calls it with its own slice; (row, kv head) pairs are split.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/kv_layout.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Where a token's keys and values go.
struct KvSlot {
  BlockId block;
  int32_t offset = 0;  // tokens into the block
};

struct RopeAppendArgs {
  ConstMatrix qkv;  // f32 [M, (heads + 2 kv_heads) * head_dim]: q, then k, then v
  // f32 [M, rotary_dim], rotary_dim <= head_dim; the other dims do not turn. Empty: none does.
  ConstMatrix cos_sin;
  absl::Span<const KvSlot> slots;  // one for each row
  Matrix q;                        // [M, heads * head_dim], of the cache's dtype
  KvLayerView kv;
  // Empty, or head_dim weights of the norms of queries and of keys.
  absl::Span<const float> q_norm = {};
  absl::Span<const float> k_norm = {};
  float norm_epsilon = 1e-6f;
};

void RopeAppend(const RopeAppendArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
