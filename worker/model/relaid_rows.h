// Weights of checkpoints that do not lie in rows as packers read them: laid out anew, one expert or
// head at a time; and rows whose blocks a shard would cut.
//
// Threading: all of `threads` work on it. Ownership: results own their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "worker/device/compute_threads.h"
#include "worker/parallel/shard.h"
#include "worker/tensor/weight_format.h"

namespace baton::worker {

// Of an output, which row or column of the file holds it.
using FileIndex = absl::FunctionRef<int64_t(int64_t output)>;

// A matrix as it lies in a file.
struct FileRows {
  WeightFormat format = WeightFormat::kF32;
  const std::byte* data = nullptr;  // of row 0
  size_t row_bytes = 0;
  int64_t cols = 0;  // elements of a row
};

// f32 [outputs, inputs] of the wanted part of a matrix whose rows are inputs.
std::vector<float> TakeColumns(const FileRows& from, const Range& outputs, const Range& inputs,
                               FileIndex column_of, ComputeThreads& threads);

// f32 [outputs, inputs] of the wanted part of a matrix whose rows are outputs: for inputs that
// begin or end inside a block of the format.
std::vector<float> TakeRows(const FileRows& from, const Range& outputs, const Range& inputs,
                            FileIndex row_of, ComputeThreads& threads);

// Blocks of 32 elements in MXFP4, 16 bytes each with neighbours side by side, and their scales
// elsewhere.
struct SplitMxfp4 {
  const std::byte* blocks = nullptr;
  const std::byte* scales = nullptr;
  int64_t row_blocks = 0;
};

// Rows of WeightFormat::kMXFP4. REQUIRES: `inputs` are whole blocks.
std::vector<std::byte> JoinMxfp4(const SplitMxfp4& from, const Range& outputs, const Range& inputs,
                                 FileIndex row_of, ComputeThreads& threads);

}  // namespace baton::worker
