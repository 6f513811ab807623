// out[i] = scale * table[tokens[i]]: rows of an embedding, taken from the packed form, so that a
// tied output projection is held once.
//
// Threading: every thread of a region calls it with its own slice; rows are split.
#pragma once

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/device/compute_threads.h"
#include "worker/ops/packed_linear.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

struct EmbeddingArgs {
  absl::Span<const TokenId> tokens;     // each < table->outputs()
  const PackedLinear* table = nullptr;  // [vocabulary, hidden], kPlain
  Matrix out;                           // f32 [tokens, hidden]
  float scale = 1;
};

void Embedding(const EmbeddingArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
