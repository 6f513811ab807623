#include "worker/model/relaid_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace baton::worker {
namespace {

// [rows, cols] of numbers that say where they stand: row * 100 + col.
std::vector<float> Places(int64_t rows, int64_t cols) {
  std::vector<float> values;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; ++col) values.push_back(static_cast<float>(row * 100 + col));
  }
  return values;
}

FileRows RowsOf(const std::vector<float>& values, int64_t cols) {
  return {.format = WeightFormat::kF32,
          .data = reinterpret_cast<const std::byte*>(values.data()),
          .row_bytes = static_cast<size_t>(cols) * sizeof(float),
          .cols = cols};
}

class RelaidRowsTest : public ::testing::TestWithParam<int> {
 protected:
  ComputeThreads threads_{{.thread_count = GetParam()}};
};

TEST_P(RelaidRowsTest, TakeColumnsTurnsInputsIntoColumns) {
  const std::vector<float> values = Places(40, 9);  // 40 inputs, more than are taken at once
  const std::vector<float> taken = TakeColumns(
      RowsOf(values, 9), {2, 3}, {5, 33}, [](int64_t output) { return 8 - output; }, threads_);
  ASSERT_EQ(taken.size(), 3u * 33u);
  for (int64_t output = 0; output < 3; ++output) {
    for (int64_t input = 0; input < 33; ++input) {
      EXPECT_EQ(taken[static_cast<size_t>(output * 33 + input)],
                static_cast<float>((input + 5) * 100 + 8 - (output + 2)));
    }
  }
}

TEST_P(RelaidRowsTest, TakeRowsCutsRowsWherever) {
  const std::vector<float> values = Places(12, 50);
  const std::vector<float> taken = TakeRows(
      RowsOf(values, 50), {1, 5}, {7, 20}, [](int64_t output) { return 2 * output; }, threads_);
  ASSERT_EQ(taken.size(), 5u * 20u);
  for (int64_t output = 0; output < 5; ++output) {
    for (int64_t input = 0; input < 20; ++input) {
      EXPECT_EQ(taken[static_cast<size_t>(output * 20 + input)],
                static_cast<float>(2 * (output + 1) * 100 + input + 7));
    }
  }
}

TEST_P(RelaidRowsTest, TakeRowsDecodesBlocksThatItCuts) {
  // Two blocks of Q8_0 in a row: scale 1/2, then bytes -32 ... 31.
  std::string row;
  for (int block = 0; block < 2; ++block) {
    row += std::string("\x00\x38", 2);
    for (int i = 0; i < 32; ++i) row.push_back(static_cast<char>(block * 32 + i - 32));
  }
  const FileRows from{.format = WeightFormat::kQ8_0,
                      .data = reinterpret_cast<const std::byte*>(row.data()),
                      .row_bytes = row.size(),
                      .cols = 64};
  const std::vector<float> taken = TakeRows(
      from, {0, 1}, {48, 16}, [](int64_t output) { return output; }, threads_);
  std::vector<float> expected(16);
  for (int i = 0; i < 16; ++i) expected[static_cast<size_t>(i)] = 0.5f * static_cast<float>(16 + i);
  EXPECT_EQ(taken, expected);
}

TEST_P(RelaidRowsTest, JoinMxfp4PutsScalesBeforeBlocksAndHalvesApart) {
  constexpr int64_t kRows = 3, kRowBlocks = 2;
  std::vector<std::byte> blocks(kRows * kRowBlocks * 16);
  std::vector<std::byte> scales(kRows * kRowBlocks);
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::byte>(i * 37);
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = static_cast<std::byte>(120 + i);
  const SplitMxfp4 from{blocks.data(), scales.data(), kRowBlocks};
  const std::vector<std::byte> joined = JoinMxfp4(
      from, {0, 2}, {32, 32}, [](int64_t output) { return 2 - output; }, threads_);
  ASSERT_EQ(joined.size(), 2u * 17u);
  for (int64_t output = 0; output < 2; ++output) {
    const int64_t block = (2 - output) * kRowBlocks + 1;
    std::vector<float> values(32);
    DecodeElements(WeightFormat::kMXFP4, joined.data() + output * 17, 0, 32, values.data());
    EXPECT_EQ(joined[static_cast<size_t>(output * 17)], scales[static_cast<size_t>(block)]);
    constexpr float kNumbers[] = {0, .5f, 1, 1.5f, 2, 3, 4, 6};
    for (int64_t i = 0; i < 32; ++i) {
      const auto pair = static_cast<int>(blocks[static_cast<size_t>(block * 16 + i / 2)]);
      const int code = i % 2 == 0 ? pair & 15 : pair >> 4;
      const float number = (code & 8 ? -1.0f : 1.0f) * kNumbers[code & 7];
      const float scale =
          std::ldexp(1.0f, static_cast<int>(scales[static_cast<size_t>(block)]) - 127);
      EXPECT_EQ(values[static_cast<size_t>(i)], number * scale) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, RelaidRowsTest, ::testing::Values(1, 3));

}  // namespace
}  // namespace baton::worker
