// The formats that rows of weights have in checkpoints, and how they decode. Packers read rows in
// these formats directly: a model is never held as floats on the way.
//
//   DecodeElements(WeightFormat::kQ8_0, row_bytes, /*first=*/64, /*count=*/32, out);
//
// Formulas (f16 scales, 32 elements to a block; GGUF's, after ggml):
//   Q8_0: {f16 d; i8 q[32]}           x[i] = d q[i]
//   Q4_1: {f16 d, m; u8 q[16]}        x[i] = d (q[i] & 15) + m,  x[i + 16] = d (q[i] >> 4) + m
//
// To add a format: its row in kFormats and its decoder, both in weight_format.cc.
//
// Threading: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::worker {

enum class WeightFormat : uint8_t { kF32, kF16, kBf16, kQ8_0, kQ4_1 };

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;
  int block_elements;  // consecutive elements of a row ...
  int block_bytes;     // ... that take so many bytes
};

const WeightFormatInfo& InfoOf(WeightFormat format);

// Bytes of a row of `elements`, which is a multiple of the format's block.
size_t RowBytes(WeightFormat format, int64_t elements);

// Decodes `count` elements of a row, from element `first` on. REQUIRES: both are multiples of the
// format's block. `row` needs no alignment.
void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out);

}  // namespace baton::worker
