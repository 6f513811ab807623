// The formats that rows of weights have in checkpoints, and how they decode. Packers read rows in
// these formats directly: a model is never held as floats on the way.
//
//   DecodeElements(WeightFormat::kQ8_0, row_bytes, /*first=*/64, /*count=*/32, out);
//
// The block formats are GGUF's; their formulas stand at their decoders. The arithmetic is f32 in
// the order of the `gguf` Python package, so that a decoded number has its bits.
//
// To add a format: one enum value here, its row in kFormats and its decoder in weight_format.cc.
// Sources find it by its name, which is the one that files give it.
//
// Threading: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/types/span.h"

namespace baton::worker {

enum class WeightFormat : uint8_t {
  kF32,
  kF16,
  kBf16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  kMXFP4,
};

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;  // as GGUF and safetensors call it
  int block_elements;     // consecutive elements of a row ...
  int block_bytes;        // ... that take so many bytes
};

const WeightFormatInfo& InfoOf(WeightFormat format);

// The format that files call `name`; empty if there is no decoder for it.
std::optional<WeightFormat> FindWeightFormat(std::string_view name);

// All of them, in the order of the enum.
absl::Span<const WeightFormat> AllWeightFormats();

// Bytes of a row of `elements`, which is a multiple of the format's block.
size_t RowBytes(WeightFormat format, int64_t elements);

// Decodes `count` elements of a row, from element `first` on. REQUIRES: both are multiples of the
// format's block. `row` needs no alignment.
void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out);

}  // namespace baton::worker
