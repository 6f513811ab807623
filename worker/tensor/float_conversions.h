// Between float and its 16-bit relatives, one number at a time. To bf16 and f16: round to nearest,
// ties to even; a NaN stays a NaN.
#pragma once

#include <bit>
#include <cstdint>

#include "worker/tensor/dtype.h"

namespace baton::worker {

inline float ToFloat(Bf16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

inline Bf16 ToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return Bf16{static_cast<uint16_t>(nan ? (bits >> 16) | 0x40u : rounded)};
}

// Exact: every f16, subnormals too, is a float.
inline float ToFloat(F16 value) {
  const uint32_t sign = (value.bits & 0x8000u) << 16;
  const uint32_t magnitude = value.bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // infinity, NaN
    return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  }
  // The exponent is off by 112; a multiplication moves it and normalises subnormals.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

F16 ToF16(float value);

}  // namespace baton::worker
