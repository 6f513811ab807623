// What the parts of a decoder share during one engine step.
//
// Threading: DecoderBatch and SublayerIo are plain data; Scratch is thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/buffer.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/attention.h"
#include "worker/ops/rope_append.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Where a step's tokens lie in one table of the cache (kv_placement.h), and what they see there.
struct BatchTable {
  absl::Span<const KvSlot> slots;  // one for each token
  absl::Span<const AttentionRun> runs;
};

// The tokens of a step, row after row. Parallel spans have one entry for each token.
struct DecoderBatch {
  absl::Span<const TokenId> tokens;  // each < vocab_size
  absl::Span<const int32_t> positions;
  absl::Span<const BatchTable> tables;   // as many as the decoder's placement has
  absl::Span<const int32_t> logit_rows;  // indexes of tokens, ascending
};

// Memory that grows to the largest step seen.
class Scratch {
 public:
  // A dense matrix in it. What was there before is lost.
  absl::StatusOr<Matrix> Take(DType dtype, int64_t rows, int64_t cols);

 private:
  Buffer buffer_;
};

// What goes into a sublayer, attention or feed-forward, and where its result goes:
//
//   out = residual + scale * f(x)
struct SublayerIo {
  ConstMatrix x;              // [M, hidden], normed, of the compute type
  Matrix out;                 // f32 [M, hidden]; with several ranks, a summand of it
  ConstMatrix residual = {};  // empty: none; may be `out`
  float scale = 1;
};

// Sees intermediate results: what a dump of two runs compares. Called by one thread of the region
// while the others wait.
using ActivationTap =
    std::function<void(int32_t layer, std::string_view name, const ConstMatrix& values)>;

// Shows a result that is complete, i.e. behind a Sync, and that nobody overwrites before the next.
inline void Show(const ActivationTap& tap, int32_t layer, std::string_view name,
                 const ConstMatrix& values, const ComputeSlice& slice) {
  if (!tap) return;
  if (slice.index() == 0) tap(layer, name, values);
  slice.Sync();
}

}  // namespace baton::worker
