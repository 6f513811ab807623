#include "worker/ops/split_rms_norm.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/ops/rms_norm.h"

namespace baton::worker {
namespace {

TEST(SplitRmsNorm, PartsGiveTheNormOfTheWhole) {
  constexpr int64_t kRows = 5, kSize = 70, kFirst = 33;  // parts that are no multiples of a lane
  const std::vector<float> values = RandomFloats(kRows * kSize, 1, 3.0f);
  const std::vector<float> weight = RandomFloats(kSize, 2);
  TestMatrix whole(DType::kF32, kRows, kSize, values);
  TestMatrix parts(DType::kF32, kRows, kSize, values);
  const ComputeSlice slice = ComputeSlice::Whole(BestCpuIsa());
  RmsNorm({.x = whole.view(), .weight = weight, .epsilon = 0.01f, .out = whole.view()}, slice);

  TestMatrix sums(DType::kF32, kRows, 1);
  TestMatrix more(DType::kF32, kRows, 1);
  const Matrix left = parts.view().Cols(0, kFirst);
  const Matrix right = parts.view().Cols(kFirst, kSize - kFirst);
  SquareSums({.x = left, .out = sums.view()}, slice);
  SquareSums({.x = right, .out = more.view()}, slice);
  for (int64_t row = 0; row < kRows; ++row) {
    *sums.view().row<float>(row) += *more.view().row<float>(row);
  }
  const absl::Span<const float> weights = weight;
  const auto norm = [&](const Matrix& x, absl::Span<const float> part) {
    NormBySquareSums(
        {.x = x, .weight = part, .sums = sums.view(), .whole_size = kSize, .epsilon = 0.01f},
        slice);
  };
  norm(left, weights.first(kFirst));
  norm(right, weights.subspan(kFirst));
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t col = 0; col < kSize; ++col) {
      EXPECT_NEAR(parts.At(row, col), whole.At(row, col), 2e-6 * std::abs(whole.At(row, col)));
    }
  }
}

TEST(SplitRmsNorm, ARowsBitsAreItsOwn) {
  constexpr int64_t kRows = 9, kSize = 50;
  const std::vector<float> values = RandomFloats(kRows * kSize, 3);
  TestMatrix x(DType::kF32, kRows, kSize, values);
  TestMatrix all(DType::kF32, kRows, 1);
  ComputeThreads threads({.thread_count = 3});
  threads.Run(
      [&](const ComputeSlice& slice) { SquareSums({.x = x.view(), .out = all.view()}, slice); });
  for (int64_t row = 0; row < kRows; ++row) {
    TestMatrix one(DType::kF32, 1, 1);
    SquareSums({.x = x.view().Rows(row, 1), .out = one.view()}, ComputeSlice::Whole(BestCpuIsa()));
    EXPECT_EQ(one.At(0, 0), all.At(row, 0));
  }
}

}  // namespace
}  // namespace baton::worker
