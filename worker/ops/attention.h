// Causal attention over the paged cache, with grouped queries: for a row at position p
//
//   out = softmax(scale * q K[0..p]^T) V[0..p]
//
// With a window w, positions before p - w + 1 are not seen. A soft cap c makes c tanh(s / c) of a
// score s. A sink is one more score of each head that takes its weight and brings no value.
//
// Bits depend on the row's own history and on nothing else: keys are taken in tiles of 64
// positions, 512 positions make one partial result by online softmax, and partial results
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
  absl::Span<const BlockId> blocks;  // from position 0 on; any id where a window sees nothing
};

// How the attention of a step is cut into pieces of like cost: made once per step, used by every
// layer. Keeps its memory from step to step.
//
//   plan.Build(runs, heads, layout, threads.thread_count(), /*window=*/0);
//
// Threading: Build by one thread outside of a region; constant inside, except for the scratch, of
//            which each thread and each piece has its own.
// Ownership: copies the runs' block tables.
class AttentionPlan {
 public:
  // `window`: positions that a query sees, its own included; 0: all.
  // REQUIRES: `heads` is a multiple of layout.kv_heads, and every table covers its run. Blocks that
  // lie outside of every window may be any: they are not read.
  void Build(absl::Span<const AttentionRun> runs, int32_t heads, const KvLayout& layout,
             int thread_count, int32_t window = 0);

  // A tile of queries against one kv head, over the splits [split_begin, split_end).
  struct Piece {
    int32_t row_begin = 0;  // of the batch
    int32_t query_count = 0;
    int32_t first_position = 0;
    int32_t kv_head = 0;
    int32_t split_begin = 0;
    int32_t split_end = 0;
    int64_t blocks = 0;    // index of its sequence's table
    int64_t partial = -1;  // index of its first row's partial result, or -1: gives whole results
  };

  // What follows is for Attention.
  absl::Span<const Piece> PiecesOf(int thread) const;
  // The tiles that several pieces share, with all their splits; `partial` is that of the first.
  absl::Span<const Piece> shared_tiles() const { return shared_tiles_; }
  const int32_t* BlocksOf(const Piece& piece) const { return blocks_.data() + piece.blocks; }
  int32_t heads() const { return heads_; }
  int32_t group() const { return group_; }
  int32_t window() const { return window_; }
  int32_t FirstSplitOf(int32_t position) const;  // that a query there sees anything of
  int thread_count() const { return static_cast<int>(thread_begin_.size()) - 1; }
  const KvLayout& layout() const { return layout_; }

  // Floats of the state of one row: sums of head_dim', or latent_dim, values, maximum, sum of
  // weights, fill.
  int32_t state_floats() const {
    return (layout_.latent_dim > 0 ? layout_.latent_dim : layout_.padded_head_dim()) + 16;
  }
  float* Partial(int64_t index) { return Aligned(partials_) + index * state_floats(); }
  float* ThreadTotals(int thread) { return Aligned(scratch_) + 2 * thread * scratch_floats_; }
  float* ThreadPartials(int thread) { return ThreadTotals(thread) + scratch_floats_; }
  // Where a thread widens tiles of a cache whose format is not kPlain.
  float* ThreadTile(int thread) { return Aligned(tiles_memory_) + thread * tile_floats_; }

 private:
  static float* Aligned(std::vector<float>& floats);  // its first 64-byte boundary

  int64_t CostOf(const Piece& piece) const;
  void AddTiles(const AttentionRun& run, int64_t blocks);
  void SplitLargeTiles(int thread_count);
  void DealOut(int thread_count);

  KvLayout layout_;
  int32_t heads_ = 0;
  int32_t group_ = 1;
  int32_t window_ = 0;
  std::vector<int32_t> blocks_;
  std::vector<Piece> tiles_;
  std::vector<Piece> shared_tiles_;
  std::vector<Piece> pieces_;
  std::vector<int64_t> thread_begin_;  // into pieces_, one more than threads
  // With room for Aligned to move on by a cache line.
  std::vector<float> partials_;
  std::vector<float> scratch_;
  std::vector<float> tiles_memory_;
  int64_t scratch_floats_ = 0;  // of one of a thread's two areas
  int64_t tile_floats_ = 0;     // of a thread's tile
};

struct AttentionArgs {
  ConstMatrix q;  // [M, heads * head_dim], of the layout's dtype
  KvLayerView kv;
  AttentionPlan* plan = nullptr;       // built for this step and thread count
  float scale = 1;                     // head_dim^-0.5
  float soft_cap = 0;                  // 0: none
  absl::Span<const float> sinks = {};  // one for each head, or none
  Matrix out;                          // [M, heads * head_dim], f32 or bf16
};

// Called by every thread of a region with its own slice; may Sync inside.
void Attention(const AttentionArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
