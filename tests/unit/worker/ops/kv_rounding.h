// What a KV cache gives back of the numbers that it keeps, by definition, and the formats that
// tests of attention go through.
#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/tensor/kv_format.h"

namespace baton::worker {

// How a cache keeps what is computed in some type.
struct Kind {
  DType dtype;
  KvFormat format = KvFormat::kPlain;
};

// The number nearest to `value` among those that E4M3 has, found by trying all.
inline float NearestFp8(float value) {
  float best = 0;
  for (int code = 0; code < 127; ++code) {
    const int exponent = code >> 3;
    const int mantissa = code & 7;
    const float number = exponent == 0
                             ? std::ldexp(static_cast<float>(mantissa), -9)
                             : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
    const float distance = std::abs(std::abs(value) - number);
    const float least = std::abs(std::abs(value) - best);
    if (distance < least || (distance == least && mantissa % 2 == 0)) best = number;
  }
  return std::copysign(best, value);
}

// What the cache gives back of one head of a token.
inline void Keep(const Kind& kind, absl::Span<float> head) {
  float most = 0;
  for (const float value : head) most = std::max(most, std::abs(value));
  for (float& value : head) {
    switch (kind.format) {
      case KvFormat::kPlain:
        value = RoundedTo(kind.dtype, value);
        break;
      case KvFormat::kBf16:
        value = RoundedTo(DType::kBf16, value);
        break;
      case KvFormat::kInt8:
        value = std::nearbyint(value * (127.0f / most)) * (most / 127.0f);
        break;
      case KvFormat::kFp8:
        value = NearestFp8(value);
        break;
    }
  }
}

using Case = std::tuple<CpuIsa, DType, KvFormat>;

// Every format that is not the compute type's own.
inline std::vector<Case> SmallerFormats(CpuIsa isa) {
  return {{isa, DType::kBf16, KvFormat::kInt8},
          {isa, DType::kBf16, KvFormat::kFp8},
          {isa, DType::kF32, KvFormat::kInt8},
          {isa, DType::kF32, KvFormat::kFp8},
          {isa, DType::kF32, KvFormat::kBf16}};
}

inline std::string NameOfCase(const testing::TestParamInfo<Case>& info) {
  constexpr const char* kFormats[] = {"", "_kept_in_bf16", "_kept_in_int8", "_kept_in_fp8"};
  const auto [isa, dtype, format] = info.param;
  return std::string(NameOf(isa)) + "_" + std::string(NameOf(dtype)) +
         kFormats[static_cast<size_t>(format)];
}

}  // namespace baton::worker
