#include "worker/ops/attention.h"

#include <cmath>
#include <limits>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/kv_rounding.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/kv_storage/kv_storage.h"
#include "worker/ops/rope_append.h"

namespace baton::worker {
namespace {

struct Heads {
  int32_t heads;
  int32_t kv_heads;
  int32_t head_dim;
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_dim)); }
};

// What attention does beyond the plain softmax.
struct Extras {
  int32_t window = 0;
  float soft_cap = 0;
  std::vector<float> sinks = {};
};

// Sequences whose queries, keys and values are given, with their keys and values in a paged cache
// that held NaNs before, so that nothing unwritten may count.
class PagedSequences {
 public:
  PagedSequences(const Heads& heads, Kind kind, int32_t block_tokens, std::vector<int> lengths,
                 uint32_t first_seed = 1, bool broken = false)
      : heads_(heads), kind_(kind), lengths_(std::move(lengths)) {
    const KvLayout layout =
        *KvLayout::Make(kind.dtype, block_tokens, heads.kv_heads, heads.head_dim, kind.format);
    int32_t block_count = 0;
    for (const int length : lengths_) block_count += (length + block_tokens - 1) / block_tokens;
    storage_.emplace(*KvStorage::Create(layout, 2, block_count));
    for (int32_t block = 0; block < block_count; ++block) {
      const absl::Span<std::byte> bytes = storage_->BlockBytes(BlockId(block));
      std::memset(bytes.data(), 0xff, bytes.size());
    }
    int32_t next = block_count;
    for (size_t i = 0; i < lengths_.size(); ++i) {
      const auto cols = static_cast<size_t>(heads.heads + 2 * heads.kv_heads) *
                        static_cast<size_t>(heads.head_dim);
      const auto rows = static_cast<size_t>(lengths_[i]);
      qkv_.push_back(RandomFloats(rows * cols, first_seed + static_cast<uint32_t>(i)));
      if (broken) qkv_.back()[cols - 1] = std::numeric_limits<float>::quiet_NaN();  // of a value
      std::vector<BlockId>& table = tables_.emplace_back();
      for (int first = 0; first < lengths_[i]; first += block_tokens) {
        table.push_back(BlockId(--next));
      }
      Append(static_cast<int>(i));
      std::vector<float>& kept = kept_.emplace_back(qkv_.back());
      const auto dim = static_cast<size_t>(heads.head_dim);
      for (size_t at = 0; at < kept.size(); at += dim) {
        const bool query = at % cols < static_cast<size_t>(heads.heads) * dim;
        Keep(query ? Kind{kind.dtype} : kind, absl::MakeSpan(kept).subspan(at, dim));
      }
    }
  }

  KvLayerView kv() { return storage_->Layer(1); }
  const KvLayout& layout() const { return storage_->layout(); }
  absl::Span<const BlockId> blocks(int sequence) const {
    return tables_[static_cast<size_t>(sequence)];
  }
  const TestMatrix& queries(int sequence) const { return q_[static_cast<size_t>(sequence)]; }

  double Expect(int sequence, int position, int head, int dim, const Extras& extras = {}) const {
    const int kv_head = head / (heads_.heads / heads_.kv_heads);
    double most = -std::numeric_limits<double>::infinity();
    std::vector<double> scores;
    const int first = extras.window == 0 ? 0 : std::max(0, position - extras.window + 1);
    for (int token = first; token <= position; ++token) {
      double score = 0;
      for (int i = 0; i < heads_.head_dim; ++i) {
        score += At(sequence, position, head, i) * At(sequence, token, heads_.heads + kv_head, i);
      }
      score *= heads_.scale();
      if (extras.soft_cap != 0) score = extras.soft_cap * std::tanh(score / extras.soft_cap);
      scores.push_back(score);
      most = std::max(most, scores.back());
    }
    double sum = 0;
    double total = 0;
    if (!extras.sinks.empty()) sum = std::exp(extras.sinks[static_cast<size_t>(head)] - most);
    for (int token = first; token <= position; ++token) {
      const double weight = std::exp(scores[static_cast<size_t>(token - first)] - most);
      sum += weight;
      total += weight * At(sequence, token, heads_.heads + heads_.kv_heads + kv_head, dim);
    }
    return total / sum;
  }

 private:
  double At(int sequence, int token, int head, int dim) const {
    const int64_t cols = int64_t{heads_.heads + 2 * heads_.kv_heads} * heads_.head_dim;
    return kept_[static_cast<size_t>(sequence)]
                [static_cast<size_t>(token * cols + head * heads_.head_dim + dim)];
  }

  // With angles of zero nothing turns.
  void Append(int sequence) {
    const int64_t rows = lengths_[static_cast<size_t>(sequence)];
    const int64_t cols = int64_t{heads_.heads + 2 * heads_.kv_heads} * heads_.head_dim;
    TestMatrix qkv(DType::kF32, rows, cols, qkv_[static_cast<size_t>(sequence)]);
    TestMatrix cos_sin(DType::kF32, rows, 2, [&] {
      std::vector<float> values;
      for (int64_t row = 0; row < rows; ++row) values.insert(values.end(), {1.0f, 0.0f});
      return values;
    }());
    TestMatrix& q = q_.emplace_back(kind_.dtype, rows, int64_t{heads_.heads} * heads_.head_dim);
    std::vector<KvSlot> slots;
    for (int32_t token = 0; token < rows; ++token) {
      slots.push_back({blocks(sequence)[static_cast<size_t>(token / layout().block_tokens)],
                       token % layout().block_tokens});
    }
    RopeAppend(
        {.qkv = qkv.view(), .cos_sin = cos_sin.view(), .slots = slots, .q = q.view(), .kv = kv()},
        ComputeSlice::Whole(CpuIsa::kPlain));
  }

  Heads heads_;
  Kind kind_;
  std::vector<int> lengths_;
  std::optional<KvStorage> storage_;
  std::vector<std::vector<float>> qkv_;
  std::vector<std::vector<float>> kept_;  // queries as they are computed with, the rest as kept
  std::vector<std::vector<BlockId>> tables_;
  std::vector<TestMatrix> q_;
};

// The last `count` positions up to `end` of a sequence.
struct Chunk {
  int sequence;
  int begin;
  int end;
};

// Attention of some chunks in one batch.
TestMatrix Attend(PagedSequences& sequences, const Heads& heads, const std::vector<Chunk>& chunks,
                  ComputeThreads& threads, DType out_dtype = DType::kF32,
                  const Extras& extras = {}) {
  const int64_t cols = int64_t{heads.heads} * heads.head_dim;
  const size_t row_bytes = static_cast<size_t>(cols) * SizeOf(sequences.layout().dtype);
  std::vector<AttentionRun> runs;
  int32_t rows = 0;
  for (const Chunk& chunk : chunks) {
    runs.push_back({rows, chunk.end - chunk.begin, chunk.begin, sequences.blocks(chunk.sequence)});
    rows += chunk.end - chunk.begin;
  }
  TestMatrix q(sequences.layout().dtype, rows, cols);
  for (size_t i = 0; i < chunks.size(); ++i) {
    TestMatrix source = sequences.queries(chunks[i].sequence);
    std::memcpy(q.view().Rows(runs[i].row_begin, 1).data(),
                source.view().Rows(chunks[i].begin, 1).data(),
                row_bytes * static_cast<size_t>(runs[i].row_count));
  }
  TestMatrix out(out_dtype, rows, cols);
  AttentionPlan plan;
  plan.Build(runs, heads.heads, sequences.layout(), threads.thread_count(), extras.window);
  threads.Run([&](const ComputeSlice& slice) {
    Attention({.q = q.view(),
               .kv = sequences.kv(),
               .plan = &plan,
               .scale = heads.scale(),
               .soft_cap = extras.soft_cap,
               .sinks = extras.sinks,
               .out = out.view()},
              slice);
  });
  return out;
}

class AttentionTest : public testing::TestWithParam<Case> {
 protected:
  CpuIsa isa() const { return std::get<0>(GetParam()); }
  DType dtype() const { return std::get<1>(GetParam()); }
  Kind kind() const { return {dtype(), std::get<2>(GetParam())}; }
  void ExpectSoftmaxInDouble();

  // Weights are rounded to bf16 in bf16, those of int8 after the values' scales came in.
  double Tolerance() const {
    if (dtype() != DType::kBf16) return 3e-6;
    return kind().format == KvFormat::kInt8 ? 1.5e-2 : 6e-3;
  }
};

void AttentionTest::ExpectSoftmaxInDouble() {
  ComputeThreads threads({.thread_count = 2, .isa = isa()});
  const double tolerance = Tolerance();
  for (const Heads heads :
       {Heads{9, 3, 64}, Heads{4, 4, 8}, Heads{8, 1, 128}, Heads{2, 1, 40}, Heads{2, 2, 80}}) {
    for (const int32_t block_tokens : {16, 64, 128}) {
      PagedSequences sequences(heads, kind(), block_tokens, {1, 63, 130, 700});
      const std::vector<Chunk> chunks = {{0, 0, 1}, {1, 0, 63}, {2, 100, 130}, {3, 699, 700}};
      TestMatrix out = Attend(sequences, heads, chunks, threads);
      int64_t row = 0;
      for (const Chunk& chunk : chunks) {
        for (int position = chunk.begin; position < chunk.end; ++position, ++row) {
          if (position % 17 != 0 && position + 1 != chunk.end) continue;
          for (int head = 0; head < heads.heads; ++head) {
            for (int dim = 0; dim < heads.head_dim; dim += 5) {
              ASSERT_NEAR(out.At(row, head * heads.head_dim + dim),
                          sequences.Expect(chunk.sequence, position, head, dim), tolerance)
                  << "position=" << position << " head=" << head << " dim=" << dim
                  << " block_tokens=" << block_tokens;
            }
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, MatchesSoftmaxInDouble) { ExpectSoftmaxInDouble(); }

// A row's bits are the same in a whole prompt, in any chunk, alone, beside others, with any block
// size and any number of threads.
TEST_P(AttentionTest, RowsDependOnTheirHistoryAlone) {
  const Heads heads{9, 3, 64};
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads two({.thread_count = 2, .isa = isa()});
  ComputeThreads five({.thread_count = 5, .isa = isa()});
  PagedSequences sequences(heads, kind(), 64, {1300, 77});
  PagedSequences small_blocks(heads, kind(), 16, {1300, 77});
  const TestMatrix whole = Attend(sequences, heads, {{0, 0, 1300}}, one);
  const TestMatrix other = Attend(sequences, heads, {{1, 0, 77}}, one);
  for (ComputeThreads* threads : {&one, &two, &five}) {
    for (const int chunk : {1, 37, 512}) {
      if (threads == &five && chunk != 512) continue;
      for (int begin = chunk == 1 ? 1017 : 0; begin < 1300; begin += chunk) {
        const int end = std::min(begin + chunk, 1300);
        if (chunk < 100 && begin % 5 != 0 && end < 1300) continue;
        PagedSequences& source = begin % 2 == 0 ? sequences : small_blocks;
        const TestMatrix out = Attend(source, heads, {{1, 40, 77}, {0, begin, end}}, *threads);
        for (int row = 0; row < 37; ++row) ASSERT_TRUE(out.SameRow(row, other, 40 + row));
        for (int position = begin; position < end; ++position) {
          ASSERT_TRUE(out.SameRow(37 + position - begin, whole, position))
              << "chunk=" << chunk << " position=" << position
              << " threads=" << threads->thread_count();
        }
      }
    }
  }
}

// One long sequence on several threads is cut into splits; the result stays whole.
TEST_P(AttentionTest, SharesLongRowsAmongThreads) {
  const Heads heads{2, 1, 64};
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads four({.thread_count = 4, .isa = isa()});
  PagedSequences sequences(heads, kind(), 64, {2100});
  AttentionPlan plan;
  plan.Build({{{0, 1, 2099, sequences.blocks(0)}}}, heads.heads, sequences.layout(), 4);
  EXPECT_EQ(plan.shared_tiles().size(), 1u);
  for (int thread = 0; thread < 4; ++thread) EXPECT_FALSE(plan.PiecesOf(thread).empty());
  const TestMatrix alone = Attend(sequences, heads, {{0, 2099, 2100}}, one, DType::kBf16);
  const TestMatrix shared = Attend(sequences, heads, {{0, 2099, 2100}}, four, DType::kBf16);
  EXPECT_TRUE(shared.SameRow(0, alone, 0));
}

// Windows that end within a tile, span splits, and are longer than what there is; caps and sinks.
TEST_P(AttentionTest, WindowsCapsAndSinksMatchSumsInDouble) {
  const Heads heads{6, 2, 64};
  const double tolerance = Tolerance();
  PagedSequences sequences(heads, kind(), 64, {1300, 77});
  const std::vector<float> sinks = {-1, 0.5f, 3, 0, -40, 20};
  for (const Extras& extras :
       {Extras{.window = 1}, Extras{.window = 100}, Extras{.window = 513}, Extras{.window = 5000},
        Extras{.soft_cap = 0.5f}, Extras{.sinks = sinks},
        Extras{.window = 600, .soft_cap = 2, .sinks = sinks}}) {
    for (const int thread_count : {1, 4}) {
      ComputeThreads threads({.thread_count = thread_count, .isa = isa()});
      for (const Chunk& chunk : {Chunk{0, 0, 1300}, Chunk{0, 1111, 1112}, Chunk{1, 60, 77}}) {
        TestMatrix out = Attend(sequences, heads, {chunk}, threads, DType::kF32, extras);
        for (int position = chunk.begin; position < chunk.end; ++position) {
          if (position % 97 != 0 && position + 1 != chunk.end) continue;
          for (int head = 0; head < heads.heads; ++head) {
            ASSERT_NEAR(out.At(position - chunk.begin, head * heads.head_dim + 7),
                        sequences.Expect(chunk.sequence, position, head, 7, extras), tolerance)
                << "window=" << extras.window << " position=" << position << " head=" << head;
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, WindowedRowsDependOnTheirHistoryAlone) {
  const Heads heads{4, 2, 64};
  const Extras extras{.window = 600, .sinks = {0, 1, 2, 3}};
  ComputeThreads one({.thread_count = 1, .isa = isa()});
  ComputeThreads five({.thread_count = 5, .isa = isa()});
  PagedSequences sequences(heads, kind(), 64, {1300});
  const TestMatrix whole = Attend(sequences, heads, {{0, 0, 1300}}, one, DType::kF32, extras);
  for (ComputeThreads* threads : {&one, &five}) {
    for (const Chunk& chunk : {Chunk{0, 1100, 1101}, Chunk{0, 1023, 1030}, Chunk{0, 500, 1300}}) {
      const TestMatrix out = Attend(sequences, heads, {chunk}, *threads, DType::kF32, extras);
      for (int position = chunk.begin; position < chunk.end; ++position) {
        ASSERT_TRUE(out.SameRow(position - chunk.begin, whole, position))
            << "position=" << position << " threads=" << threads->thread_count();
      }
    }
  }
}

// Every type at every instruction set, and at the best one every format.
std::vector<Case> Cases() {
  std::vector<Case> cases = SmallerFormats(BestCpuIsa());
  for (const CpuIsa isa : SupportedIsas()) {
    for (const DType dtype : {DType::kBf16, DType::kF32}) {
      cases.emplace_back(isa, dtype, KvFormat::kPlain);
    }
  }
  return cases;
}

// The other instruction sets: what they narrow and widen.
std::vector<Case> OtherCases() {
  std::vector<Case> cases;
  for (const CpuIsa isa : SupportedIsas()) {
    if (isa == BestCpuIsa()) continue;
    for (const Case& of_isa : SmallerFormats(isa)) cases.push_back(of_isa);
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionTest, testing::ValuesIn(Cases()), NameOfCase);

class AttentionFormatTest : public AttentionTest {};

TEST_P(AttentionFormatTest, MatchesSoftmaxInDouble) { ExpectSoftmaxInDouble(); }

INSTANTIATE_TEST_SUITE_P(Isas, AttentionFormatTest, testing::ValuesIn(OtherCases()), NameOfCase);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AttentionFormatTest);

// What is no number does not become one.
TEST(KvFormatTest, KeepsWhatIsNoNumber) {
  ComputeThreads threads({.thread_count = 1});
  for (const KvFormat format : {KvFormat::kPlain, KvFormat::kInt8, KvFormat::kFp8}) {
    const Heads heads{1, 1, 16};
    PagedSequences sequences(heads, {DType::kF32, format}, 16, {3}, 1, /*broken=*/true);
    const TestMatrix out = Attend(sequences, heads, {{0, 2, 3}}, threads);
    bool number = true;
    for (int dim = 0; dim < 16; ++dim) number = number && std::isfinite(out.At(0, dim));
    EXPECT_FALSE(number);
  }
}

TEST(AttentionPlanTest, CoversEveryRowOnceAndBalances) {
  const KvLayout layout = *KvLayout::Make(DType::kBf16, 64, 3, 64);
  std::vector<BlockId> blocks;
  for (int32_t i = 0; i < 40; ++i) blocks.push_back(BlockId(i));
  AttentionPlan plan;
  for (const int thread_count : {1, 2, 7}) {
    plan.Build({{{0, 100, 30, blocks}, {100, 1, 2000, blocks}, {101, 1, 5, blocks}}}, 9, layout,
               thread_count);
    std::vector<int> seen(102 * 3);
    int64_t pieces = 0;
    for (int thread = 0; thread < thread_count; ++thread) {
      for (const AttentionPlan::Piece& piece : plan.PiecesOf(thread)) {
        ++pieces;
        for (int32_t row = piece.row_begin; row < piece.row_begin + piece.query_count; ++row) {
          seen[static_cast<size_t>(row * 3 + piece.kv_head)] += piece.split_end - piece.split_begin;
        }
      }
    }
    for (int row = 0; row < 102; ++row) {
      for (int head = 0; head < 3; ++head) {
        EXPECT_EQ(seen[static_cast<size_t>(row * 3 + head)], row == 100 ? 4 : 1) << row;
      }
    }
    EXPECT_GE(pieces, 7 * 3 + 2);
  }
}

TEST(AttentionPlanTest, TakesAnEmptyBatch) {
  const KvLayout layout = *KvLayout::Make(DType::kBf16, 64, 3, 64);
  AttentionPlan plan;
  plan.Build({}, 9, layout, 2);
  EXPECT_TRUE(plan.PiecesOf(0).empty());
  EXPECT_TRUE(plan.PiecesOf(1).empty());
}

}  // namespace
}  // namespace baton::worker
