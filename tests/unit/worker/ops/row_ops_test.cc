// Norm, rope, append and embedding: the ops that work row by row.
#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/ops/elementwise.h"
#include "worker/ops/embedding.h"
#include "worker/ops/rms_norm.h"
#include "worker/ops/rope.h"
#include "worker/ops/rope_append.h"

namespace baton::worker {
namespace {

class RowOpsTest : public testing::TestWithParam<CpuIsa> {};

double NormedAt(const float* x, const std::vector<float>& weight, double epsilon, size_t col) {
  double squares = 0;
  for (size_t i = 0; i < weight.size(); ++i) squares += double{x[i]} * x[i];
  return weight[col] * x[col] / std::sqrt(squares / static_cast<double>(weight.size()) + epsilon);
}

TEST_P(RowOpsTest, RmsNormMatchesDouble) {
  ComputeThreads threads({.thread_count = 2, .isa = GetParam()});
  for (const size_t size : {1u, 17u, 64u, 576u, 2048u}) {
    const auto cols = static_cast<int64_t>(size);
    const std::vector<float> weight = RandomFloats(size, 5);
    const std::vector<float> values = RandomFloats(5 * size, 6, 3.0f);
    TestMatrix x(DType::kF32, 5, cols, values);
    TestMatrix out(DType::kF32, 5, cols);
    TestMatrix rounded(DType::kBf16, 5, cols);
    threads.Run([&](const ComputeSlice& slice) {
      RmsNorm({.x = x.view(), .weight = weight, .epsilon = 1e-5f, .out = out.view()}, slice);
      RmsNorm({.x = x.view(), .weight = weight, .epsilon = 1e-5f, .out = rounded.view()}, slice);
    });
    for (int64_t row = 0; row < 5; ++row) {
      for (int64_t col = 0; col < cols; ++col) {
        const double expected =
            NormedAt(values.data() + row * cols, weight, 1e-5, static_cast<size_t>(col));
        ASSERT_NEAR(out.At(row, col), expected, 1e-6 + 2e-6 * std::abs(expected));
        ASSERT_EQ(rounded.At(row, col), ToFloat(ToBf16(out.At(row, col))));
      }
    }
  }
}

TEST_P(RowOpsTest, RmsNormAddsFirst) {
  const ComputeSlice whole = ComputeSlice::Whole(GetParam());
  const std::vector<float> weight = RandomFloats(70, 1);
  const std::vector<float> a = RandomFloats(140, 2);
  const std::vector<float> b = RandomFloats(140, 3);
  std::vector<float> sums(140);
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = a[i] + b[i];
  TestMatrix x(DType::kF32, 2, 70, a);
  TestMatrix added(DType::kF32, 2, 70, b);
  TestMatrix sum(DType::kF32, 2, 70, sums);
  TestMatrix out(DType::kF32, 2, 70);
  TestMatrix expected(DType::kF32, 2, 70);
  RmsNorm({.x = x.view(), .weight = weight, .out = out.view(), .add = added.view()}, whole);
  RmsNorm({.x = sum.view(), .weight = weight, .out = expected.view()}, whole);
  for (int64_t row = 0; row < 2; ++row) {
    EXPECT_TRUE(x.SameRow(row, sum, row));
    EXPECT_TRUE(out.SameRow(row, expected, row));
  }
}

TEST_P(RowOpsTest, RmsNormGathersRows) {
  const ComputeSlice whole = ComputeSlice::Whole(GetParam());
  const std::vector<float> weight = RandomFloats(64, 1);
  TestMatrix x(DType::kF32, 6, 64, RandomFloats(6 * 64, 2));
  TestMatrix all(DType::kF32, 6, 64);
  TestMatrix some(DType::kF32, 3, 64);
  const std::vector<int32_t> rows = {5, 0, 3};
  RmsNorm({.x = x.view(), .weight = weight, .out = all.view()}, whole);
  RmsNorm({.x = x.view(), .weight = weight, .out = some.view(), .rows = rows}, whole);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(some.SameRow(static_cast<int64_t>(i), all, rows[i]));
  }
}

// What a (head, token) of the cache holds, by the words of kv_layout.h.
float CachedAt(const KvLayerView& kv, const std::byte* head, bool value, int dim, int token) {
  const KvLayout& layout = kv.layout;
  const int padded = layout.padded_head_dim();
  if (layout.dtype == DType::kF32) {
    const int index = value ? token * padded + dim : dim * layout.block_tokens + token;
    return reinterpret_cast<const float*>(head)[index];
  }
  const int index = value ? (token / 2 * padded + dim) * 2 + token % 2
                          : (dim / 2 * layout.block_tokens + token) * 2 + dim % 2;
  return ToFloat(reinterpret_cast<const Bf16*>(head)[index]);
}

struct RopeShape {
  int heads, kv_heads, head_dim, rotary_dim;
};

double TurnedAt(const float* head, const RopeShape& shape, const std::vector<float>& frequencies,
                int position, int dim) {
  if (dim >= shape.rotary_dim) return head[dim];
  const int half = shape.rotary_dim / 2;
  const double angle = double{frequencies[static_cast<size_t>(dim % half)]} * position;
  const double other = dim < half ? -head[dim + half] : head[dim - half];
  return head[dim] * std::cos(angle) + other * std::sin(angle);
}

TEST_P(RowOpsTest, RopeAppendTurnsAndStores) {
  ComputeThreads threads({.thread_count = 2, .isa = GetParam()});
  for (const RopeShape shape :
       {RopeShape{9, 3, 64, 64}, RopeShape{4, 4, 8, 8}, RopeShape{6, 2, 40, 20}}) {
    for (const DType dtype : {DType::kBf16, DType::kF32}) {
      const KvLayout layout = *KvLayout::Make(dtype, 16, shape.kv_heads, shape.head_dim);
      absl::StatusOr<KvStorage> storage = KvStorage::Create(layout, 2, 4);
      ASSERT_TRUE(storage.ok());
      const KvLayerView kv = storage->Layer(1);
      const int64_t rows = 21;
      const int64_t cols = int64_t{shape.heads + 2 * shape.kv_heads} * shape.head_dim;
      TestMatrix qkv(DType::kF32, rows, cols, RandomFloats(static_cast<size_t>(rows * cols), 1));
      TestMatrix q(dtype, rows, int64_t{shape.heads} * shape.head_dim);
      TestMatrix cos_sin(DType::kF32, rows, shape.rotary_dim);
      const std::vector<float> frequencies = RopeFrequencies({.rotary_dim = shape.rotary_dim}, 0);
      std::vector<int32_t> positions;
      std::vector<KvSlot> slots;  // position 3 on, in blocks 2 and 1
      for (int32_t row = 0; row < rows; ++row) {
        positions.push_back(row + 3);
        slots.push_back({BlockId(row + 3 < 16 ? 2 : 1), (row + 3) % 16});
      }
      threads.Run([&](const ComputeSlice& slice) {
        RopeAngles({.frequencies = frequencies, .positions = positions, .cos_sin = cos_sin.view()},
                   slice);
        slice.Sync();
        RopeAppend(
            {.qkv = qkv.view(), .cos_sin = cos_sin.view(), .slots = slots, .q = q.view(), .kv = kv},
            slice);
      });
      const double tolerance = dtype == DType::kBf16 ? 4e-3 : 2e-6;
      for (int row = 0; row < rows; ++row) {
        const float* head = qkv.view().row<float>(row);
        const KvSlot slot = slots[static_cast<size_t>(row)];
        for (int h = 0; h < shape.heads + 2 * shape.kv_heads; ++h, head += shape.head_dim) {
          const int kv_head = (h - shape.heads) % shape.kv_heads;
          for (int dim = 0; dim < shape.head_dim; ++dim) {
            const bool value = h >= shape.heads + shape.kv_heads;
            const double expected =
                value ? head[dim] : TurnedAt(head, shape, frequencies, row + 3, dim);
            const float got =
                h < shape.heads ? q.At(row, h * shape.head_dim + dim)
                : value ? CachedAt(kv, kv.Values(slot.block, kv_head), true, dim, slot.offset)
                        : CachedAt(kv, kv.Keys(slot.block, kv_head), false, dim, slot.offset);
            ASSERT_NEAR(got, expected, tolerance * (1 + std::abs(expected)))
                << "head=" << h << " dim=" << dim << " row=" << row;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, RowOpsTest, testing::ValuesIn(SupportedIsas()),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

TEST(RopeFrequenciesTest, FollowThePowers) {
  const std::vector<float> frequencies = RopeFrequencies({.theta = 100000, .rotary_dim = 64}, 0);
  ASSERT_EQ(frequencies.size(), 32u);
  for (size_t i = 0; i < 32; ++i) {
    const double expected = std::pow(100000.0, -2.0 * static_cast<double>(i) / 64);
    EXPECT_NEAR(frequencies[i], expected, 2e-7 * expected);
  }
}

// Llama 3.1's own values: long waves are stretched by the factor, short ones left, a few between.
TEST(RopeFrequenciesTest, Llama3StretchesLongWaves) {
  const RopeConfig plain{.theta = 500000, .rotary_dim = 128};
  RopeConfig scaled = plain;
  scaled.scaling = Llama3RopeScaling{};
  const std::vector<float> before = RopeFrequencies(plain, 0);
  const std::vector<float> after = RopeFrequencies(scaled, 0);
  int between = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const double wavelength = 2 * M_PI / before[i];
    if (wavelength < 8192.0 / 4) {
      EXPECT_EQ(after[i], before[i]);
    } else if (wavelength > 8192.0) {
      EXPECT_EQ(after[i], before[i] / 8);
    } else {
      const double smooth = (8192 / wavelength - 1) / 3;
      const double expected = before[i] * ((1 - smooth) / 8 + smooth);
      EXPECT_NEAR(after[i], expected, 1e-6 * expected);
      ++between;
    }
  }
  EXPECT_GT(between, 3);
}

TEST(EmbeddingTest, TakesRowsOnAnyNumberOfThreads) {
  ComputeThreads threads({.thread_count = 3});
  const std::vector<float> values = RandomFloats(200 * 48, 1);
  const PackedLinear table =
      PackOrDie({F32Part(values, 200, 48)}, LinearKind::kPlain, DType::kF32, threads);
  const std::vector<TokenId> tokens = {199, 0, 64, 63, 0};
  TestMatrix out(DType::kF32, 5, 48);
  threads.Run([&](const ComputeSlice& slice) {
    Embedding({.tokens = tokens, .table = &table, .out = out.view()}, slice);
  });
  for (size_t i = 0; i < tokens.size(); ++i) {
    for (size_t k = 0; k < 48; ++k) {
      EXPECT_EQ(out.At(static_cast<int64_t>(i), static_cast<int64_t>(k)),
                values[tokens[i] * 48 + k]);
    }
  }
}

TEST(ElementwiseTest, SoftCapBoundsAndKeepsWhatIsNoNumber) {
  TestMatrix x(DType::kF32, 2, 37, RandomFloats(74, 5, 40.0f));
  const std::vector<float> before(x.view().row<float>(0), x.view().row<float>(0) + 74);
  x.view().row<float>(1)[3] = std::nanf("");
  ComputeThreads threads({.thread_count = 3});
  threads.Run([&](const ComputeSlice& slice) { SoftCap({.x = x.view(), .cap = 12}, slice); });
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t col = 0; col < 37; ++col) {
      if (row == 1 && col == 3) continue;
      const double expected = 12 * std::tanh(before[static_cast<size_t>(row * 37 + col)] / 12);
      EXPECT_NEAR(x.At(row, col), expected, 1e-5);
    }
  }
  EXPECT_TRUE(std::isnan(x.view().row<float>(1)[3]));
}

TEST(RmsNormTest, AResidualIsAddedBehindTheNorm) {
  TestMatrix x(DType::kF32, 3, 50, RandomFloats(150, 6));
  TestMatrix residual(DType::kF32, 3, 50, RandomFloats(150, 7));
  TestMatrix plain(DType::kF32, 3, 50);
  TestMatrix added(DType::kF32, 3, 50);
  const std::vector<float> weight = RandomFloats(50, 8);
  const ComputeSlice whole = ComputeSlice::Whole(BestCpuIsa());
  RmsNorm({.x = x.view(), .weight = weight, .out = plain.view()}, whole);
  RmsNorm({.x = x.view(), .weight = weight, .out = added.view(), .residual = residual.view()},
          whole);
  for (int64_t row = 0; row < 3; ++row) {
    for (int64_t col = 0; col < 50; ++col) {
      EXPECT_EQ(added.At(row, col), plain.At(row, col) + residual.At(row, col));
    }
  }
}

// Numbers of transformers' ROPE_INIT_FUNCTIONS for theta 10000, 16 dims.
TEST(RopeFrequenciesTest, DynamicDependsOnTheLongestSequenceAlone) {
  const RopeConfig config{.theta = 10000, .rotary_dim = 16, .scaling = DynamicRopeScaling{2, 128}};
  const RopeConfig plain{.theta = 10000, .rotary_dim = 16};
  EXPECT_TRUE(DependsOnLength(config));
  EXPECT_EQ(RopeFrequencies(config, 100), RopeFrequencies(plain, 0));
  EXPECT_LT(RopeFrequencies(config, 300)[1], RopeFrequencies(plain, 0)[1]);
}

TEST(RopeFrequenciesTest, LongRopeTakesTheListOfTheLength) {
  const RopeConfig config{
      .theta = 10000, .rotary_dim = 4, .scaling = LongRopeScaling{{1, 2}, {4, 8}, 128}};
  EXPECT_EQ(RopeFrequencies(config, 128), (std::vector<float>{1.0f, 1 / 200.0f}));
  EXPECT_EQ(RopeFrequencies(config, 129), (std::vector<float>{0.25f, 1 / 800.0f}));
}

TEST(RopeFrequenciesTest, YarnKeepsFastDimsAndDividesSlowOnes) {
  const RopeConfig plain{.theta = 10000, .rotary_dim = 64};
  RopeConfig scaled = plain;
  scaled.scaling = YarnRopeScaling{.factor = 8, .original_max_positions = 4096};
  const std::vector<float> before = RopeFrequencies(plain, 0);
  const std::vector<float> after = RopeFrequencies(scaled, 0);
  EXPECT_EQ(after.front(), before.front());
  EXPECT_FLOAT_EQ(after.back(), before.back() / 8);
}

}  // namespace
}  // namespace baton::worker
