// The plain element types of tensors in memory. Block formats of checkpoints are WeightFormats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::worker {

enum class DType : uint8_t { kF32, kF16, kBf16, kI8, kU8, kI32, kI64 };

size_t SizeOf(DType dtype);
std::string_view NameOf(DType dtype);  // "float32", "bfloat16": as --dtype and PyTorch write them

// Storage of the 16-bit floats: their bits. Arithmetic goes through float_conversions.h.
struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

// The DType of a C++ element type.
template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType kValue = DType::kF32;
};
template <>
struct DTypeOf<Bf16> {
  static constexpr DType kValue = DType::kBf16;
};
template <>
struct DTypeOf<F16> {
  static constexpr DType kValue = DType::kF16;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType kValue = DType::kI8;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType kValue = DType::kU8;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType kValue = DType::kI32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType kValue = DType::kI64;
};

}  // namespace baton::worker
