// Causal attention over the paged cache, with grouped queries: for a row at position p
//
//   out = softmax(scale * q K[0..p]^T) V[0..p]
//
// Bits depend on the row's own history and on nothing else: keys are taken in tiles of 64
// positions, kSplitTokens positions make one partial result by online softmax, and partial results
// are joined in ascending order, whoever computed them. So batch, chunking, prefix hits, block size
// and threads change nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/kv_layout.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Consecutive positions of one sequence, in consecutive rows of the batch.
struct AttentionRun {
  int32_t row_begin = 0;
  int32_t row_count = 0;
  int32_t first_position = 0;
  absl::Span<const BlockId> blocks;  // from position 0 on
};

// How the attention of a step is cut into pieces of like cost: made once per step, used by every
// layer. Keeps its memory from step to step.
//
// Threading: Build by one thread outside of a region; constant inside, except for the scratch that
//            Attention keeps in it, of which each piece has its own.
// Ownership: the runs' block tables must outlive the step.
class AttentionPlan {
 public:
  static constexpr int32_t kTileTokens = 64;    // of keys
  static constexpr int32_t kSplitTokens = 512;  // of keys, in one partial result

  // `heads` is a multiple of `kv_heads`.
  void Build(absl::Span<const AttentionRun> runs, int32_t heads, const KvLayout& layout,
             int thread_count);

  // A tile of queries against one kv head, over splits [split_begin, split_end).
  struct Piece {
    int32_t run = 0;
    int32_t query_begin = 0;  // in the run
    int32_t query_count = 0;
    int32_t kv_head = 0;
    int32_t split_begin = 0;
    int32_t split_end = 0;
    int64_t partial = -1;  // of its first (query, head) row, or -1: the piece is a whole result
  };

  // For kernels.
  absl::Span<const AttentionRun> runs() const { return runs_; }
  absl::Span<const Piece> PiecesOf(int thread) const;
  // The pieces of split tiles: each tile's are neighbours, in ascending order of splits.
  absl::Span<const Piece> split_pieces() const { return split_pieces_; }
  int32_t heads() const { return heads_; }
  // A partial result: head_dim' sums, then maximum and sum of the weights.
  float* Partial(int64_t index) { return partials_.data() + index * partial_floats_; }
  const float* Partial(int64_t index) const { return partials_.data() + index * partial_floats_; }

 private:
  std::vector<AttentionRun> runs_;
  std::vector<Piece> pieces_;
  std::vector<Piece> split_pieces_;
  std::vector<int64_t> thread_begin_;  // into pieces_, one more than threads
  std::vector<float> partials_;
  int64_t partial_floats_ = 0;
  int32_t heads_ = 0;
};

struct AttentionArgs {
  ConstMatrix q;  // [M, heads * head_dim], of the cache's dtype
  KvLayerView kv;
  AttentionPlan* plan = nullptr;  // built for this step and thread count
  float scale = 1;                // head_dim^-0.5
  Matrix out;                     // [M, heads * head_dim], f32 or bf16
};

// Called by every thread of a region with its own slice; may Sync inside.
void Attention(const AttentionArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
