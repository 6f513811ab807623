// What the tests of ops share: every instruction set of this machine, random matrices, and
// comparisons of bits.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "common/base/check.h"
#include "worker/device/compute_threads.h"
#include "worker/device/cpu_isa.h"
#include "worker/ops/embedding.h"
#include "worker/ops/packed_linear.h"
#include "worker/tensor/float_conversions.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

inline std::vector<CpuIsa> SupportedIsas() {
  std::vector<CpuIsa> isas;
  for (const CpuIsa isa : kCpuIsas) {
    if (SupportsCpuIsa(isa)) isas.push_back(isa);
  }
  return isas;
}

inline std::vector<float> RandomFloats(size_t count, uint32_t seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

inline float RoundedTo(DType dtype, float value) {
  return dtype == DType::kBf16 ? ToFloat(ToBf16(value)) : value;
}

// A matrix that owns its elements, filled with noise that a result must overwrite.
class TestMatrix {
 public:
  TestMatrix(DType dtype, int64_t rows, int64_t cols)
      : dtype_(dtype),
        rows_(rows),
        cols_(cols),
        bytes_(static_cast<size_t>(rows * cols) * SizeOf(dtype), std::byte{0x5a}) {}

  TestMatrix(DType dtype, int64_t rows, int64_t cols, const std::vector<float>& values)
      : TestMatrix(dtype, rows, cols) {
    for (int64_t i = 0; i < rows * cols; ++i) Set(i, values[static_cast<size_t>(i)]);
  }

  Matrix view() { return {bytes_.data(), dtype_, rows_, cols_, cols_}; }
  float At(int64_t row, int64_t col) const {
    const int64_t index = row * cols_ + col;
    if (dtype_ == DType::kBf16) return ToFloat(reinterpret_cast<const Bf16*>(bytes_.data())[index]);
    return reinterpret_cast<const float*>(bytes_.data())[index];
  }
  bool SameRow(int64_t row, const TestMatrix& other, int64_t other_row) const {
    const size_t row_bytes = static_cast<size_t>(cols_) * SizeOf(dtype_);
    return std::memcmp(bytes_.data() + static_cast<size_t>(row) * row_bytes,
                       other.bytes_.data() + static_cast<size_t>(other_row) * row_bytes,
                       row_bytes) == 0;
  }

 private:
  void Set(int64_t index, float value) {
    if (dtype_ == DType::kBf16) {
      reinterpret_cast<Bf16*>(bytes_.data())[index] = ToBf16(value);
    } else {
      reinterpret_cast<float*>(bytes_.data())[index] = value;
    }
  }

  DType dtype_;
  int64_t rows_;
  int64_t cols_;
  std::vector<std::byte> bytes_;
};

// A part of f32 rows.
inline LinearPart F32Part(const std::vector<float>& values, int64_t rows, int64_t cols) {
  return {.format = WeightFormat::kF32,
          .data = reinterpret_cast<const std::byte*>(values.data()),
          .row_bytes = static_cast<size_t>(cols) * sizeof(float),
          .rows = rows,
          .cols = cols};
}

// A matrix of random bytes in a block format, with small scales.
inline std::vector<std::byte> RandomBlocks(WeightFormat format, int64_t rows, int64_t cols) {
  std::vector<std::byte> bytes(RowBytes(format, cols) * static_cast<size_t>(rows));
  std::mt19937 random(7);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  const auto block_bytes = static_cast<size_t>(InfoOf(format).block_bytes);
  for (size_t at = 0; at < bytes.size(); at += block_bytes) {
    const auto put = [&](size_t offset, auto value) {
      std::memcpy(bytes.data() + at + offset, &value, sizeof(value));
    };
    if (format == WeightFormat::kF32) put(0, static_cast<float>(at % 23) - 11);
    if (format == WeightFormat::kF16) put(0, ToF16(static_cast<float>(at % 17) - 8));
    if (format == WeightFormat::kBf16) put(0, ToBf16(static_cast<float>(at % 19) / 3));
    if (format == WeightFormat::kF8_E4M3 && (static_cast<int>(bytes[at]) & 127) == 127) {
      bytes[at] = std::byte{0};  // a NaN
    }
    if (block_bytes < 16) continue;
    if (InfoOf(format).name.ends_with("groups")) {
      put(0, 0.015625f * static_cast<float>(1 + at % 7));  // as f32, and f16 holds it
      for (size_t i = 4; i < block_bytes; ++i) {
        const auto byte = static_cast<int8_t>(bytes[at + i]);
        if (format == WeightFormat::kGroupedI5) put(i, static_cast<int8_t>(byte >> 3));
        if (format == WeightFormat::kGroupedF8 && (byte & 127) == 127) put(i, int8_t{0});
      }
      continue;
    }
    // Scales lead or, in Q6_K, end the block; where there is one only, the second are quants.
    const size_t scales = format == WeightFormat::kQ6_K ? block_bytes - 2 : 0;
    put(scales, ToF16(0.01f * static_cast<float>(1 + at % 11)));
    if (scales == 0) put(2, ToF16(0.01f * static_cast<float>(1 + at % 7)));
  }
  return bytes;
}

inline PackedLinear PackOrDie(absl::Span<const LinearPart> parts, LinearKind kind, DType dtype,
                              ComputeThreads& threads,
                              Quantization quantization = Quantization::kNone) {
  absl::StatusOr<PackedLinear> packed =
      PackedLinear::Pack(parts, kind, dtype, threads, quantization);
  BATON_CHECK(packed.ok()) << packed.status().ToString();
  return *std::move(packed);
}

// Row `output` of what was packed, read back.
inline std::vector<float> Unpacked(const PackedLinear& packed, TokenId output) {
  TestMatrix out(DType::kF32, 1, packed.inputs());
  Embedding({.tokens = {output}, .table = &packed, .out = out.view()},
            ComputeSlice::Whole(CpuIsa::kPlain));
  const float* row = out.view().row<float>(0);
  return {row, row + packed.inputs()};
}

}  // namespace baton::worker
