// From numbers to what a quantised KV cache keeps, and back; see ../../tensor/kv_layout.h. Loops
// that every compiler turns into vectors; the results are the same at every instruction set, for
// widening is exact and narrowing rounds each number by itself.
#pragma once

#include <cstdint>

#include "worker/tensor/kv_format.h"

namespace baton::worker::cpu {

namespace {

inline uint32_t BitsOfFloat(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float FloatOfBits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

// REQUIRES: the number has the bits of one.
inline void PutExact(float value, float* to) { *to = value; }
inline void PutExact(float value, uint16_t* to) {
  *to = static_cast<uint16_t>(BitsOfFloat(value) >> 16);
}

struct Int8Codec {
  static constexpr int kBytes = 1;
  static float Widen(const unsigned char* from) {
    return static_cast<float>(static_cast<signed char>(*from));
  }
};

struct Fp8Codec {
  static constexpr int kBytes = 1;
  static float Widen(const unsigned char* from) {
    const uint32_t code = *from;
    const uint32_t size = code & 0x7f;
    // Normal numbers have their exponent moved, the others are multiples of 2^-9.
    const uint32_t normal = (size << 20) + (120u << 23);
    const uint32_t small =
        BitsOfFloat(static_cast<float>(static_cast<int32_t>(size & 7)) * 0.001953125f);
    uint32_t bits = size < 8 ? small : normal;
    bits = size == 0x7f ? 0x7fc00000u : bits;
    return FloatOfBits(bits | ((code & 0x80) << 24));
  }
};

struct Bf16Codec {
  static constexpr int kBytes = 2;
  static float Widen(const unsigned char* from) {
    uint16_t bits;
    __builtin_memcpy(&bits, from, sizeof(bits));
    return FloatOfBits(static_cast<uint32_t>(bits) << 16);
  }
};

template <class Codec, class Element>
inline void WidenSome(const unsigned char* __restrict from, int count, Element* __restrict to) {
  for (int i = 0; i < count; ++i) PutExact(Codec::Widen(from + i * Codec::kBytes), to + i);
}

// Codes of one head of one token; the scale is 1 but for kInt8. What is no number makes the scale,
// or its code, none.
inline float NarrowToInt8(const float* from, int count, unsigned char* to) {
  float most = 0.0f;
  float poison = 0.0f;
  for (int i = 0; i < count; ++i) {
    const float size = from[i] < 0.0f ? -from[i] : from[i];
    most = most < size ? size : most;
    poison += from[i] * 0.0f;
  }
  const float inverse = most > 0.0f ? 127.0f / most : 0.0f;
  for (int i = 0; i < count; ++i) {
    // 1.5 * 2^23 leaves no room for a fraction; the low byte is the code.
    to[i] = static_cast<unsigned char>(BitsOfFloat(from[i] * inverse + 12582912.0f));
  }
  return most * (1.0f / 127.0f) + poison;
}

inline unsigned char NarrowToFp8(float value) {
  const uint32_t bits = BitsOfFloat(value);
  const uint32_t size = bits & 0x7fffffffu;
  const uint32_t rounded = ((size + 0x7ffffu + ((size >> 20) & 1)) >> 20) - 960;
  const uint32_t small = BitsOfFloat(FloatOfBits(size) * 512.0f + 12582912.0f) & 0xff;
  uint32_t code = size < 0x3c800000u ? small : rounded;  // below 2^-6
  code = size > 0x43e00000u ? 0x7e : code;               // above 448
  code = size >= 0x7f800000u ? 0x7f : code;
  return static_cast<unsigned char>(code | ((bits >> 24) & 0x80));
}

inline void NarrowToBf16(float value, unsigned char* to) {
  const uint32_t bits = BitsOfFloat(value);
  const bool number = (bits & 0x7fffffffu) <= 0x7f800000u;
  const uint32_t rounded = number ? bits + 0x7fffu + ((bits >> 16) & 1) : bits | 0x400000u;
  const auto kept = static_cast<uint16_t>(rounded >> 16);
  __builtin_memcpy(to, &kept, sizeof(kept));
}

// `count` numbers to `format`, densely; gives their scale.
inline float NarrowHead(KvFormat format, const float* from, int count, unsigned char* to) {
  switch (format) {
    case KvFormat::kInt8:
      return NarrowToInt8(from, count, to);
    case KvFormat::kFp8:
      for (int i = 0; i < count; ++i) to[i] = NarrowToFp8(from[i]);
      return 1.0f;
    case KvFormat::kBf16:
      for (int i = 0; i < count; ++i) NarrowToBf16(from[i], to + 2 * i);
      return 1.0f;
    case KvFormat::kPlain:
      break;
  }
  __builtin_trap();
}

}  // namespace

}  // namespace baton::worker::cpu
