// The formats that rows of weights have in checkpoints, and how they decode. Packers read rows in
// these formats directly: a model is never held as floats on the way.
//
//   DecodeElements(WeightFormat::kQ8_0, row_bytes, /*first=*/64, /*count=*/32, out);
//
// The block formats are GGUF's; their formulas stand at their decoders. The arithmetic is f32 in
// the order of the `gguf` Python package, so that a decoded number has its bits.
//
// To add a format: one enum value here, its row in kFormats and its splitter in weight_format.cc.
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
  kF8_E4M3,
  // Made by loaders of checkpoints that keep scales apart: {f32 d; q[32]}, x = d q.
  kGroupedI4,  // nibbles, as in Q4_0
  kGroupedI5,  // bytes from -16 to 15
  kGroupedI8,  // bytes
  kGroupedF8,  // E4M3
};

// How a quantised format writes its elements: x = scale * q, or x = scale * q + least, with one
// scale and one least value for each group of consecutive elements, and integers q of so many bits.
struct QuantTraits {
  int bits = 0;                   // 4, 5, 6 or 8; 0: plain numbers, not quantised
  int group_elements = 0;         // 16 or 32
  bool has_least = false;         // then q is 0 .. 2^bits - 1, else -2^(bits-1) .. 2^(bits-1) - 1
  const int8_t* table = nullptr;  // or q is one of these 16 numbers
};

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;  // as GGUF and safetensors call it
  int block_elements;     // consecutive elements of a row ...
  int block_bytes;        // ... that take so many bytes
  QuantTraits quant = {};
};

// The elements of a block, taken apart.
struct QuantBlock {
  static constexpr int kElementsMax = 256;
  static constexpr int kGroupsMax = 16;
  int8_t quants[kElementsMax];
  float scale[kGroupsMax];
  float least[kGroupsMax];  // set if the format has them
};

const WeightFormatInfo& InfoOf(WeightFormat format);

// The format that files call `name`; empty if there is no decoder for it.
std::optional<WeightFormat> FindWeightFormat(std::string_view name);

// All of them, in the order of the enum.
absl::Span<const WeightFormat> AllWeightFormats();

// Bytes of a row of `elements`, which is a multiple of the format's block.
size_t RowBytes(WeightFormat format, int64_t elements);

// Takes the block at `block` apart. REQUIRES: a quantised format.
void SplitBlock(WeightFormat format, const std::byte* block, QuantBlock& out);

// Decodes `count` elements of a row, from element `first` on. REQUIRES: both are multiples of the
// format's block. `row` needs no alignment.
void DecodeElements(WeightFormat format, const std::byte* row, int64_t first, int64_t count,
                    float* out);

}  // namespace baton::worker
