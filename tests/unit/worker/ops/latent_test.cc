#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/kv_rounding.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/ops/latent_append.h"
#include "worker/ops/latent_attention.h"

namespace baton::worker {
namespace {

constexpr int32_t kHeads = 6, kPlain = 10, kLatent = 48, kRotary = 16;
constexpr int32_t kRow = kLatent + kRotary;
constexpr float kScale = 0.2f;

// One sequence whose rows went through LatentAppend into a cache that held NaNs before.
class LatentSequence {
 public:
  LatentSequence(Kind kind, int32_t block_tokens, int32_t length, CpuIsa isa)
      : kind_(kind),
        length_(length),
        queries_(RandomFloats(static_cast<size_t>(length * kHeads * (kPlain + kRotary)), 1)),
        latents_(RandomFloats(static_cast<size_t>(length * kRow), 2)),
        norm_(RandomFloats(kLatent, 3)),
        plain_(kind.dtype, length, kHeads * kPlain),
        q_(DType::kF32, length, kHeads * kRow,
           RandomFloats(static_cast<size_t>(length * kHeads * kRow), 4)) {
    const KvLayout layout =
        *KvLayout::MakeLatent(kind.dtype, block_tokens, kLatent, kRotary, kind.format);
    const int32_t blocks = (length + block_tokens - 1) / block_tokens;
    storage_.emplace(*KvStorage::Create(layout, 2, blocks));
    for (int32_t block = 0; block < blocks; ++block) {
      const absl::Span<std::byte> bytes = storage_->BlockBytes(BlockId(block));
      std::memset(bytes.data(), 0xff, bytes.size());
      table_.push_back(BlockId(blocks - 1 - block));
    }
    std::vector<float> angles;
    for (int32_t token = 0; token < length; ++token) {
      for (int i = 0; i < kRotary; ++i) angles.push_back(CosSin(token, i));
      slots_.push_back({table_[static_cast<size_t>(token / block_tokens)], token % block_tokens});
    }
    TestMatrix queries(DType::kF32, length, kHeads * (kPlain + kRotary), queries_);
    TestMatrix latents(DType::kF32, length, kRow, latents_);
    TestMatrix cos_sin(DType::kF32, length, kRotary, angles);
    ComputeThreads threads({.thread_count = 2, .isa = isa});
    threads.Run([&](const ComputeSlice& slice) {
      LatentAppend({.queries = queries.view(),
                    .latents = latents.view(),
                    .cos_sin = cos_sin.view(),
                    .norm_weight = norm_,
                    .norm_epsilon = 1e-6f,
                    .slots = slots_,
                    .heads = kHeads,
                    .plain = plain_.view(),
                    .q = q_.view(),
                    .kv = storage_->Layer(1)},
                   slice);
    });
  }

  // Positions [begin, end) of it.
  TestMatrix Attend(int32_t begin, int32_t end, ComputeThreads& threads,
                    DType out_dtype = DType::kF32) {
    TestMatrix out(out_dtype, end - begin, kHeads * kLatent);
    AttentionPlan plan;
    BuildLatentPlan({{{0, end - begin, begin, table_}}}, kHeads, storage_->layout(),
                    threads.thread_count(), plan);
    threads.Run([&](const ComputeSlice& slice) {
      LatentAttention({.q = q_.view().Rows(begin, end - begin),
                       .kv = storage_->Layer(1),
                       .plan = &plan,
                       .scale = kScale,
                       .out = out.view()},
                      slice);
    });
    return out;
  }

  // What the cache keeps of a token, by the definition.
  std::vector<double> Latent(int32_t token) const {
    const float* from = latents_.data() + token * kRow;
    double squares = 0;
    for (int i = 0; i < kLatent; ++i) squares += double{from[i]} * double{from[i]};
    std::vector<double> row;
    for (int i = 0; i < kLatent; ++i) {
      row.push_back(double{from[i]} / std::sqrt(squares / kLatent + 1e-6) *
                    double{norm_[static_cast<size_t>(i)]});
    }
    for (int i = 0; i < kRotary; ++i) row.push_back(Turned(from + kLatent, token, i));
    std::vector<float> kept(row.begin(), row.end());
    Keep(kind_, absl::MakeSpan(kept).first(kLatent));
    Keep(kind_, absl::MakeSpan(kept).subspan(kLatent));
    return {kept.begin(), kept.end()};
  }

  double TurnedQuery(int32_t token, int32_t head, int i) const {
    return Turned(queries_.data() + (token * kHeads + head) * (kPlain + kRotary) + kPlain, token,
                  i);
  }
  float PlainQuery(int32_t token, int32_t head, int i) const {
    return RoundedTo(
        kind_.dtype,
        queries_[static_cast<size_t>((token * kHeads + head) * (kPlain + kRotary) + i)]);
  }
  const TestMatrix& plain() const { return plain_; }
  const TestMatrix& q() const { return q_; }

  double Expect(int32_t position, int32_t head, int dim) const {
    std::vector<double> scores;
    double most = -std::numeric_limits<double>::infinity();
    for (int32_t token = 0; token <= position; ++token) {
      const std::vector<double> row = Latent(token);
      double score = 0;
      for (int i = 0; i < kRow; ++i) {
        score += double{q_.At(position, head * kRow + i)} * row[static_cast<size_t>(i)];
      }
      scores.push_back(score * double{kScale});
      most = std::max(most, scores.back());
    }
    double sum = 0;
    double total = 0;
    for (int32_t token = 0; token <= position; ++token) {
      const double weight = std::exp(scores[static_cast<size_t>(token)] - most);
      sum += weight;
      total += weight * Latent(token)[static_cast<size_t>(dim)];
    }
    return total / sum;
  }

 private:
  static float CosSin(int32_t token, int i) {
    const float angle =
        static_cast<float>(token) * 0.1f / static_cast<float>(1 + i % (kRotary / 2));
    return i < kRotary / 2 ? std::cos(angle) : std::sin(angle);
  }
  static double Turned(const float* x, int32_t token, int i) {
    const int half = kRotary / 2;
    const double cosine = CosSin(token, i % half);
    const double sine = CosSin(token, i % half + half);
    return i < half ? double{x[i]} * cosine - double{x[i + half]} * sine
                    : double{x[i]} * cosine + double{x[i - half]} * sine;
  }

  const Kind kind_;
  const int32_t length_;
  const std::vector<float> queries_;
  const std::vector<float> latents_;
  const std::vector<float> norm_;
  TestMatrix plain_;
  TestMatrix q_;  // the products with the plain parts are random numbers here
  std::optional<KvStorage> storage_;
  std::vector<BlockId> table_;
  std::vector<KvSlot> slots_;
};

class LatentTest : public testing::TestWithParam<Case> {
 protected:
  CpuIsa isa() const { return std::get<0>(GetParam()); }
  Kind kind() const { return {std::get<1>(GetParam()), std::get<2>(GetParam())}; }
  // A latent may fall on the other side of a rounding than the double does.
  double Tolerance() const {
    switch (kind().format) {
      case KvFormat::kPlain:
        return kind().dtype == DType::kBf16 ? 2e-3 : 1e-5;
      case KvFormat::kBf16:
        return 2e-3;
      case KvFormat::kInt8:
        return 5e-3;
      case KvFormat::kFp8:
        return 3e-2;
    }
    return 0;
  }
};

TEST_P(LatentTest, AppendTurnsAndTakesQueriesApart) {
  const LatentSequence sequence(kind(), 16, 40, isa());
  for (const int32_t token : {0, 7, 39}) {
    for (int32_t head = 0; head < kHeads; ++head) {
      for (int i = 0; i < kPlain; ++i) {
        ASSERT_EQ(sequence.plain().At(token, head * kPlain + i),
                  sequence.PlainQuery(token, head, i));
      }
      for (int i = 0; i < kRotary; ++i) {
        ASSERT_NEAR(sequence.q().At(token, head * kRow + kLatent + i),
                    sequence.TurnedQuery(token, head, i), 1e-5);
      }
    }
  }
}

TEST_P(LatentTest, MatchesSoftmaxInDouble) {
  ComputeThreads threads({.thread_count = 2, .isa = isa()});
  for (const int32_t block_tokens : {16, 64, 128}) {
    LatentSequence sequence(kind(), block_tokens, 140, isa());
    const TestMatrix out = sequence.Attend(0, 140, threads);
    for (const int32_t position : {0, 1, 63, 64, 139}) {
      for (int32_t head = 0; head < kHeads; head += 2) {
        for (int dim = 0; dim < kLatent; dim += 7) {
          ASSERT_NEAR(out.At(position, head * kLatent + dim), sequence.Expect(position, head, dim),
                      Tolerance())
              << position << " " << head << " " << dim;
        }
      }
    }
  }
}

TEST_P(LatentTest, RowsDependOnTheirHistoryAlone) {
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads three({.thread_count = 3, .isa = isa()});
  LatentSequence sequence(kind(), 64, 1100, isa());
  LatentSequence small_blocks(kind(), 16, 1100, isa());
  const TestMatrix whole = sequence.Attend(0, 1100, one);
  for (const int32_t begin : {0, 33, 511, 512, 1099}) {
    for (const int32_t count : {1, 2, 5, 70}) {
      if (begin + count > 1100) continue;
      const TestMatrix chunk = sequence.Attend(begin, begin + count, three);
      const TestMatrix other = small_blocks.Attend(begin, begin + count, one);
      for (int32_t row = 0; row < count; ++row) {
        ASSERT_TRUE(chunk.SameRow(row, whole, begin + row)) << begin << " " << row;
        ASSERT_TRUE(other.SameRow(row, whole, begin + row)) << begin << " " << row;
      }
    }
  }
}

TEST_P(LatentTest, SharesLongRowsAmongThreads) {
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads four({.thread_count = 4, .isa = isa()});
  LatentSequence sequence(kind(), 64, 2100, isa());
  const TestMatrix alone = sequence.Attend(2099, 2100, one, DType::kBf16);
  const TestMatrix shared = sequence.Attend(2099, 2100, four, DType::kBf16);
  EXPECT_TRUE(shared.SameRow(0, alone, 0));
}

// Every type at every instruction set, and at the best one every format.
std::vector<Case> LatentCases() {
  std::vector<Case> cases = SmallerFormats(BestCpuIsa());
  for (const CpuIsa isa : SupportedIsas()) {
    for (const DType dtype : {DType::kBf16, DType::kF32}) {
      cases.emplace_back(isa, dtype, KvFormat::kPlain);
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Isas, LatentTest, testing::ValuesIn(LatentCases()), NameOfCase);

TEST(LatentLayout, HasRoomForScalesBehindTheRows) {
  const auto plain = *KvLayout::MakeLatent(DType::kBf16, 64, 512, 64);
  EXPECT_EQ(plain.block_bytes(), 64u * 576 * 2);
  const auto fp8 = *KvLayout::MakeLatent(DType::kBf16, 64, 512, 64, KvFormat::kFp8);
  EXPECT_EQ(fp8.block_bytes(), 64u * 576);
  const auto int8 = *KvLayout::MakeLatent(DType::kBf16, 64, 512, 64, KvFormat::kInt8);
  EXPECT_EQ(int8.block_bytes(), 64u * (576 + 2 * sizeof(float)));
  EXPECT_FALSE(KvLayout::MakeLatent(DType::kBf16, 64, 512, 64, KvFormat::kBf16).ok());
}

}  // namespace
}  // namespace baton::worker
