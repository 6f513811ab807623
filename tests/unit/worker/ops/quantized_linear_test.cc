// Products with weights that stay quantised: the values they hold, and the sums, at every level.
#include <cmath>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/ops/group_quantizer.h"
#include "worker/ops/linear.h"
#include "worker/ops/quantized_panels.h"

namespace baton::worker {
namespace {

constexpr int64_t kInputs = 512;

std::vector<WeightFormat> QuantizedFormats() {
  std::vector<WeightFormat> formats;
  for (const WeightFormat format : AllWeightFormats()) {
    if (InfoOf(format).quant.bits != 0) formats.push_back(format);
  }
  return formats;
}

// Rows of random blocks, with scales that f16 holds.
struct Blocks {
  Blocks(WeightFormat format, int64_t row_count, int64_t cols = kInputs)
      : bytes(RandomBlocks(format, row_count, cols)) {
    const auto block_bytes = static_cast<size_t>(InfoOf(format).block_bytes);
    if (format == WeightFormat::kMXFP4) {
      for (size_t at = 0; at < bytes.size(); at += block_bytes) {
        bytes[at] = static_cast<std::byte>(118 + at % 5);
      }
    }
    part = {.format = format,
            .data = bytes.data(),
            .row_bytes = RowBytes(format, cols),
            .rows = row_count,
            .cols = cols};
  }
  std::vector<std::byte> bytes;
  LinearPart part;
};

// A row of inputs as the product takes it: groups of 32 on 255 steps.
std::vector<double> RoundedInputs(const TestMatrix& x, int64_t row, int64_t inputs) {
  std::vector<double> rounded(static_cast<size_t>(inputs));
  for (int64_t first = 0; first < inputs; first += 32) {
    const int64_t end = std::min<int64_t>(first + 32, inputs);
    float largest = 0;
    for (int64_t i = first; i < end; ++i) largest = std::max(largest, std::abs(x.At(row, i)));
    for (int64_t i = first; i < end; ++i) {
      const float quant = std::nearbyint(x.At(row, i) * (largest == 0 ? 0 : 127 / largest));
      rounded[static_cast<size_t>(i)] = double{quant} * (largest / 127);
    }
  }
  return rounded;
}

class QuantizedLinearTest : public testing::TestWithParam<CpuIsa> {
 protected:
  CpuIsa isa() const { return GetParam(); }

  // Every row and column against sums in double of what the panels hold and the inputs as rounded.
  void ExpectSums(const PackedLinear& packed, int64_t rows, DType dtype = DType::kF32) {
    ASSERT_NE(packed.quantized(), nullptr);
    TestMatrix x(dtype, rows, packed.inputs(),
                 RandomFloats(static_cast<size_t>(rows * packed.inputs()), 5));
    TestMatrix out(DType::kF32, rows, packed.outputs());
    threads_.Run([&](const ComputeSlice& slice) {
      Linear({.x = x.view(), .weights = &packed, .out = out.view()}, slice);
    });
    for (int64_t output = 0; output < packed.outputs(); output += 7) {
      const std::vector<float> weights = Unpacked(packed, static_cast<TokenId>(output));
      for (int64_t row = 0; row<rows; row += rows> 8 ? 11 : 1) {
        const std::vector<double> inputs = RoundedInputs(x, row, packed.inputs());
        double expected = 0;
        double magnitude = 0;
        for (size_t i = 0; i < inputs.size(); ++i) {
          expected += inputs[i] * weights[i];
          magnitude += std::abs(inputs[i] * weights[i]);
        }
        ASSERT_NEAR(out.At(row, output), expected, 1e-6 * magnitude + 1e-6)
            << "row " << row << " output " << output;
      }
    }
  }

  ComputeThreads threads_{{.thread_count = 2, .isa = GetParam()}};
};

TEST_P(QuantizedLinearTest, MatchesSumsInDoubleForEveryFormat) {
  for (const WeightFormat format : QuantizedFormats()) {
    SCOPED_TRACE(InfoOf(format).name);
    const Blocks blocks(format, 200);
    const PackedLinear packed = PackOrDie({blocks.part}, LinearKind::kPlain, DType::kF32, threads_,
                                          Quantization::kAsCheckpoint);
    for (const int64_t rows : {1, 2, 5, 6, 100}) ExpectSums(packed, rows);
  }
}

TEST_P(QuantizedLinearTest, TakesFloatsAndInputsThatFillNoGroup) {
  const std::vector<float> weights = RandomFloats(90 * 72, 1, 0.02f);
  for (const Quantization quantization : {Quantization::kInt8, Quantization::kInt4}) {
    for (const DType dtype : {DType::kF32, DType::kBf16}) {
      const PackedLinear packed =
          PackOrDie({F32Part(weights, 90, 72)}, LinearKind::kPlain, dtype, threads_, quantization);
      ExpectSums(packed, 1, dtype);
      ExpectSums(packed, 9, dtype);
    }
  }
}

TEST_P(QuantizedLinearTest, PanelsOfSeveralFormatsHoldAll) {
  const Blocks a(WeightFormat::kQ4_K, 50);
  const Blocks b(WeightFormat::kQ4_0, 30);
  const Blocks c(WeightFormat::kQ8_0, 70);
  const Blocks d(WeightFormat::kIQ4_NL, 60);
  const PackedLinear packed = PackOrDie({a.part, b.part, c.part, d.part}, LinearKind::kPlain,
                                        DType::kF32, threads_, Quantization::kAsCheckpoint);
  ExpectSums(packed, 3);
  const auto expect_row = [&](const Blocks& blocks, int64_t row, TokenId output) {
    std::vector<float> expected(kInputs);
    DecodeElements(blocks.part.format, blocks.part.data + row * int64_t(blocks.part.row_bytes), 0,
                   kInputs, expected.data());
    EXPECT_THAT(Unpacked(packed, output), testing::Pointwise(testing::FloatNear(0.03f), expected));
  };
  expect_row(a, 49, 49);
  expect_row(b, 0, 50);
  expect_row(b, 29, 79);
  expect_row(c, 69, 149);
  expect_row(d, 59, 209);
}

// The same row, alone or among others, on any number of threads: the same bits.
TEST_P(QuantizedLinearTest, RowsAreIndependentOfTheBatch) {
  constexpr int64_t kRows = 103;
  for (const WeightFormat format : QuantizedFormats()) {
    const Blocks gate(format, 96, 1280);
    const Blocks up(format, 96, 1280);
    const PackedLinear packed = PackOrDie({gate.part, up.part}, LinearKind::kGated, DType::kBf16,
                                          threads_, Quantization::kAsCheckpoint);
    TestMatrix x(DType::kBf16, kRows, 1280, RandomFloats(kRows * 1280, 9, 0.05f));
    TestMatrix together(DType::kF32, kRows, 96);
    threads_.Run([&](const ComputeSlice& slice) {
      Linear({.x = x.view(), .weights = &packed, .out = together.view()}, slice);
    });
    for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7}) {
      TestMatrix some(DType::kF32, rows, 96);
      Linear({.x = x.view().Rows(kRows - rows, rows), .weights = &packed, .out = some.view()},
             ComputeSlice::Whole(isa()));
      for (int64_t row = 0; row < rows; ++row) {
        EXPECT_TRUE(some.SameRow(row, together, kRows - rows + row))
            << InfoOf(format).name << " " << rows;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, QuantizedLinearTest, testing::ValuesIn(SupportedIsas()),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

TEST(QuantizedPanelsTest, HoldTheValuesOfTheFile) {
  ComputeThreads threads({.thread_count = 1});
  for (const WeightFormat format : QuantizedFormats()) {
    const Blocks blocks(format, 70);
    const PackedLinear packed = PackOrDie({blocks.part}, LinearKind::kPlain, DType::kF32, threads,
                                          Quantization::kAsCheckpoint);
    const std::string name(InfoOf(format).name);
    for (const TokenId output : {0u, 1u, 63u, 64u, 69u}) {
      std::vector<float> expected(kInputs);
      DecodeElements(format, blocks.bytes.data() + output * blocks.part.row_bytes, 0, kInputs,
                     expected.data());
      if (name.ends_with("_K")) {  // scale times 6-bit number, to 11 bits
        float largest = 0;
        for (const float value : expected) largest = std::max(largest, std::abs(value));
        EXPECT_THAT(Unpacked(packed, output),
                    testing::Pointwise(testing::FloatNear(largest * 0x1p-10f), expected));
      } else {
        EXPECT_EQ(Unpacked(packed, output), expected) << name;
      }
    }
    const double bits = 8.0 * static_cast<double>(packed.size_bytes()) / (128.0 * kInputs);
    EXPECT_LE(bits, InfoOf(format).quant.bits + 1) << name;
  }
}

TEST(QuantizedPanelsTest, FloatsStayWhereNothingIsQuantised) {
  ComputeThreads threads({.thread_count = 1});
  const std::vector<float> weights = RandomFloats(64 * kInputs, 1);
  const Blocks blocks(WeightFormat::kQ8_0, 64);
  const LinearPart plain = F32Part(weights, 64, kInputs);
  for (const std::vector<LinearPart>& parts :
       {std::vector<LinearPart>{plain}, std::vector<LinearPart>{blocks.part, plain}}) {
    const PackedLinear packed =
        PackOrDie(parts, LinearKind::kPlain, DType::kF32, threads, Quantization::kAsCheckpoint);
    EXPECT_EQ(packed.quantized(), nullptr);
    EXPECT_GT(packed.size_bytes(), 0u);
  }
  // Scales beyond f16.
  const std::vector<float> huge = RandomFloats(64 * kInputs, 1, 1e8f);
  EXPECT_EQ(PackOrDie({F32Part(huge, 64, kInputs)}, LinearKind::kPlain, DType::kF32, threads,
                      Quantization::kInt8)
                .quantized(),
            nullptr);
}

TEST(GroupQuantizerTest, ErrorsAreWithinHalfAStep) {
  const std::vector<float> x = RandomFloats(32 * 100, 3, 0.02f);
  double eight = 0, four = 0, even_steps = 0;
  for (size_t first = 0; first < x.size(); first += 32) {
    const QuantizedGroup fine = QuantizeToEightBits(x.data() + first);
    const QuantizedGroup coarse = QuantizeToFourBits(x.data() + first);
    const auto [low, high] = std::minmax_element(x.begin() + static_cast<ptrdiff_t>(first),
                                                 x.begin() + static_cast<ptrdiff_t>(first) + 32);
    for (size_t i = 0; i < 32; ++i) {
      const float off = fine.scale * static_cast<float>(fine.quants[i]) - x[first + i];
      EXPECT_LE(std::abs(off), fine.scale * 0.6f);
      eight += off * off;
      const float wide =
          coarse.scale * static_cast<float>(coarse.quants[i]) + coarse.least - x[first + i];
      four += wide * wide;
      const float step = (*high - *low) / 15;
      const float even = std::nearbyint((x[first + i] - *low) / step) * step + *low - x[first + i];
      even_steps += even * even;
    }
  }
  EXPECT_LT(eight * 100, four);
  EXPECT_LT(four, 0.95 * even_steps);  // the search is worth it
  const std::vector<float> zeros(32);
  EXPECT_EQ(QuantizeToEightBits(zeros.data()).scale, 0);
  EXPECT_EQ(QuantizeToFourBits(zeros.data()).least, 0);
}

}  // namespace
}  // namespace baton::worker
