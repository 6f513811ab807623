// What the tests of ops share: every instruction set of this machine, random matrices, and
// comparisons of bits.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "common/base/check.h"
#include "worker/device/compute_threads.h"
#include "worker/device/cpu_isa.h"
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

inline PackedLinear PackOrDie(absl::Span<const LinearPart> parts, LinearKind kind, DType dtype,
                              ComputeThreads& threads) {
  absl::StatusOr<PackedLinear> packed = PackedLinear::Pack(parts, kind, dtype, threads);
  BATON_CHECK(packed.ok()) << packed.status().ToString();
  return *std::move(packed);
}

}  // namespace baton::worker
