// The element types a GGUF tensor can have, with the size of their blocks. A table of facts: how a
// block is decoded is the business of whoever packs the weights.
//
//   if (const GgmlTypeInfo* info = FindGgmlType(id_from_file)) …
//   row_bytes = row_elements / InfoOf(type).block_elements * InfoOf(type).block_bytes;
//
// Threading: pure functions over a constant table.
#pragma once

#include <cstdint>
#include <string_view>

namespace baton {

// Values are those on disk; a file may hold any of them in one tensor each.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
};

// `block_elements` consecutive elements of a row take `block_bytes` bytes; 1 element for plain
// types.
struct GgmlTypeInfo {
  GgmlType type;
  std::string_view name;
  uint32_t block_elements;
  uint32_t block_bytes;
};

// The row of the table for a number read from a file, or nullptr when it names no known type.
const GgmlTypeInfo* FindGgmlType(uint32_t id);

// The row of a known type.
const GgmlTypeInfo& InfoOf(GgmlType type);

}  // namespace baton
