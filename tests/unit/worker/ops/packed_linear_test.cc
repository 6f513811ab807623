#include "worker/ops/packed_linear.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/ops/embedding.h"

namespace baton::worker {
namespace {

using testing::HasSubstr;

TEST(PackedLinearTest, KeepsEveryFormatsValues) {
  constexpr int64_t kInputs = 768;
  ComputeThreads threads({.thread_count = 2});
  for (const WeightFormat format : AllWeightFormats()) {
    const std::vector<std::byte> bytes = RandomBlocks(format, 70, kInputs);
    const LinearPart part{.format = format,
                          .data = bytes.data(),
                          .row_bytes = RowBytes(format, kInputs),
                          .rows = 70,
                          .cols = kInputs};
    for (const DType dtype : {DType::kF32, DType::kBf16}) {
      const PackedLinear packed = PackOrDie({part}, LinearKind::kPlain, dtype, threads);
      EXPECT_EQ(packed.outputs(), 70);
      for (const TokenId output : {0u, 1u, 63u, 64u, 69u}) {
        std::vector<float> expected(kInputs);
        DecodeElements(format, bytes.data() + output * part.row_bytes, 0, kInputs, expected.data());
        for (float& value : expected) value = RoundedTo(dtype, value);
        EXPECT_EQ(Unpacked(packed, output), expected) << InfoOf(format).name << " " << output;
      }
    }
  }
}

TEST(PackedLinearTest, StacksPartsOneBelowTheOther) {
  ComputeThreads threads({.thread_count = 1});
  const std::vector<float> q = RandomFloats(50 * 64, 1);
  const std::vector<float> k = RandomFloats(30 * 64, 2);
  const PackedLinear packed =
      PackOrDie({F32Part(q, 50, 64), F32Part(k, 30, 64)}, LinearKind::kPlain, DType::kF32, threads);
  EXPECT_EQ(packed.outputs(), 80);
  EXPECT_EQ(Unpacked(packed, 49), std::vector<float>(q.end() - 64, q.end()));
  EXPECT_EQ(Unpacked(packed, 50), std::vector<float>(k.begin(), k.begin() + 64));
  EXPECT_EQ(Unpacked(packed, 79), std::vector<float>(k.end() - 64, k.end()));
}

TEST(PackedLinearTest, TakesShardsAndPermutations) {
  ComputeThreads threads({.thread_count = 1});
  const std::vector<float> values = RandomFloats(8 * 96, 1);
  const std::vector<int32_t> order = {7, 0, 3};
  LinearPart part = F32Part(values, 3, 32);
  part.row_bytes = 96 * sizeof(float);
  part.col_begin = 64;
  part.row_order = order;
  const PackedLinear packed = PackOrDie({part}, LinearKind::kPlain, DType::kF32, threads);
  for (size_t output = 0; output < order.size(); ++output) {
    const auto begin = values.begin() + order[output] * 96 + 64;
    EXPECT_EQ(Unpacked(packed, static_cast<TokenId>(output)),
              std::vector<float>(begin, begin + 32));
  }
}

TEST(PackedLinearTest, RefusesPartsThatDoNotFit) {
  ComputeThreads threads({.thread_count = 1});
  const std::vector<float> values(4 * 64);
  const auto message = [&](absl::Span<const LinearPart> parts, LinearKind kind, DType dtype) {
    const absl::StatusOr<PackedLinear> packed = PackedLinear::Pack(parts, kind, dtype, threads);
    EXPECT_EQ(packed.status().code(), absl::StatusCode::kInvalidArgument);
    return packed.status().ToString();
  };
  const LinearPart good = F32Part(values, 4, 64);
  EXPECT_THAT(message({}, LinearKind::kPlain, DType::kF32), HasSubstr("parts=0"));
  EXPECT_THAT(message({good}, LinearKind::kPlain, DType::kI8), HasSubstr("dtype=int8"));
  EXPECT_THAT(message({F32Part(values, 4, 33)}, LinearKind::kPlain, DType::kBf16),
              HasSubstr("cols=33/even"));
  EXPECT_THAT(message({good, F32Part(values, 4, 32)}, LinearKind::kPlain, DType::kF32),
              HasSubstr("cols=32/64"));
  EXPECT_THAT(message({good}, LinearKind::kGated, DType::kF32), HasSubstr("gated layer"));
  LinearPart part = good;
  part.rows = 0;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("rows=0"));
  part = good;
  part.row_bytes = 32;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("row_bytes=32/256"));
  part = good;
  part.format = WeightFormat::kQ8_0;
  part.cols = 48;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("cols modulo block"));
  part.cols = 32;
  part.col_begin = 16;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("col_begin=16"));
  const std::vector<float> bias(3);
  part = good;
  part.bias = bias;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("bias=3/4"));
  const std::vector<int32_t> order(5);
  part = good;
  part.row_order = order;
  EXPECT_THAT(message({part}, LinearKind::kPlain, DType::kF32), HasSubstr("row_order=5/4"));
}

}  // namespace
}  // namespace baton::worker
