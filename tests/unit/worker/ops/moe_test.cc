#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/worker/ops/ops_testing.h"
#include "worker/ops/linear.h"
#include "worker/ops/moe_dispatch.h"
#include "worker/ops/moe_routing.h"

namespace baton::worker {
namespace {

struct Routed {
  std::vector<int32_t> experts;
  std::vector<float> weights;
};

Routed Route(const MoeRouting& routing, const std::vector<float>& logits,
             absl::Span<const float> correction = {}, int threads = 1) {
  const auto rows = static_cast<int64_t>(logits.size()) / routing.expert_count;
  TestMatrix matrix(DType::kF32, rows, routing.expert_count, logits);
  Routed routed;
  routed.experts.resize(static_cast<size_t>(rows * routing.experts_per_token), -1);
  routed.weights.resize(routed.experts.size(), -1.0f);
  ComputeThreads compute({.thread_count = threads});
  compute.Run([&](const ComputeSlice& slice) {
    RouteToExperts({.routing = &routing,
                    .logits = matrix.view(),
                    .correction = correction,
                    .experts = absl::MakeSpan(routed.experts),
                    .weights = absl::MakeSpan(routed.weights)},
                   slice);
  });
  return routed;
}

double Exp(float x) { return std::exp(static_cast<double>(x)); }

TEST(MoeRoutingTest, SoftmaxTakesTheLargestAndNormalisesIfAsked) {
  const std::vector<float> logits = {1.0f, -2.0f, 3.0f, 0.5f, 3.5f};
  double sum = 0;
  for (const float logit : logits) sum += Exp(logit);
  const Routed plain = Route({.expert_count = 5, .experts_per_token = 3}, logits);
  EXPECT_THAT(plain.experts, testing::ElementsAre(4, 2, 0));
  EXPECT_NEAR(plain.weights[0], Exp(3.5f) / sum, 1e-7);
  EXPECT_NEAR(plain.weights[2], Exp(1.0f) / sum, 1e-7);
  const Routed normalised =
      Route({.expert_count = 5, .experts_per_token = 3, .normalised = true, .scale = 2}, logits);
  EXPECT_EQ(normalised.experts, plain.experts);
  EXPECT_NEAR(std::accumulate(normalised.weights.begin(), normalised.weights.end(), 0.0f), 2.0f,
              1e-6f);
}

TEST(MoeRoutingTest, SoftmaxOfTheChosenAlone) {
  const std::vector<float> logits = {100.0f, 101.0f, -100.0f, 99.0f};
  const Routed routed = Route(
      {.scoring = MoeScoring::kChosenSoftmax, .expert_count = 4, .experts_per_token = 2}, logits);
  EXPECT_THAT(routed.experts, testing::ElementsAre(1, 0));
  EXPECT_NEAR(routed.weights[0], 1 / (1 + std::exp(-1.0)), 1e-7);
  EXPECT_NEAR(routed.weights[1], 1 / (1 + std::exp(1.0)), 1e-7);
}

TEST(MoeRoutingTest, SigmoidChoosesByCorrectedScoresOfTheBestGroups) {
  // Three groups of three. Without groups 8 and 3 would win; group 1's two best together are least.
  const std::vector<float> logits = {1.0f, 1.2f, -3.0f, 2.0f, -9.0f, -9.0f, 0.0f, 0.5f, 2.5f};
  const std::vector<float> correction = {0.5f, 0, 0, 0, 0, 0, 0, 0.1f, 0};
  const MoeRouting routing = {.scoring = MoeScoring::kSigmoid,
                              .expert_count = 9,
                              .experts_per_token = 3,
                              .normalised = true,
                              .group_count = 3,
                              .kept_group_count = 2,
                              .scale = 2.5};
  const Routed routed = Route(routing, logits, correction);
  EXPECT_THAT(routed.experts, testing::ElementsAre(0, 8, 1));
  const auto sigmoid = [](float x) { return 1 / (1 + Exp(-x)); };
  const double sum = sigmoid(1.0f) + sigmoid(2.5f) + sigmoid(1.2f);
  EXPECT_NEAR(routed.weights[0], 2.5 * sigmoid(1.0f) / sum, 1e-6);  // without its correction
  EXPECT_NEAR(routed.weights[1], 2.5 * sigmoid(2.5f) / sum, 1e-6);
}

TEST(MoeRoutingTest, OfEqualExpertsTheFirstOnesWin) {
  for (const MoeScoring scoring :
       {MoeScoring::kSoftmax, MoeScoring::kChosenSoftmax, MoeScoring::kSigmoid}) {
    const Routed routed = Route({.scoring = scoring, .expert_count = 6, .experts_per_token = 3},
                                std::vector<float>(6, 0.25f));
    EXPECT_THAT(routed.experts, testing::ElementsAre(0, 1, 2));
  }
}

TEST(MoeRoutingTest, NoNumbersStillNameExperts) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const MoeScoring scoring :
       {MoeScoring::kSoftmax, MoeScoring::kChosenSoftmax, MoeScoring::kSigmoid}) {
    const Routed routed = Route({.scoring = scoring,
                                 .expert_count = 8,
                                 .experts_per_token = 4,
                                 .group_count = 4,
                                 .kept_group_count = 2},
                                {nan, 1.0f, nan, nan, 2.0f, nan, nan, nan});
    for (const int32_t expert : routed.experts) {
      EXPECT_GE(expert, 0);
      EXPECT_LT(expert, 8);
    }
  }
}

TEST(MoeRoutingTest, ThreadsShareRowsAndChangeNothing) {
  const MoeRouting routing = {.scoring = MoeScoring::kSigmoid,
                              .expert_count = 64,
                              .experts_per_token = 6,
                              .group_count = 8,
                              .kept_group_count = 3};
  const std::vector<float> logits = RandomFloats(64 * 33, 5);
  const std::vector<float> correction = RandomFloats(64, 6, 0.1f);
  const Routed one = Route(routing, logits, correction, 1);
  const Routed three = Route(routing, logits, correction, 3);
  EXPECT_EQ(one.experts, three.experts);
  EXPECT_EQ(one.weights, three.weights);
  // A row's experts differ from each other and come from three groups at most.
  for (size_t row = 0; row < 33; ++row) {
    std::vector<int32_t> chosen(one.experts.begin() + static_cast<int64_t>(row) * 6,
                                one.experts.begin() + static_cast<int64_t>(row) * 6 + 6);
    std::sort(chosen.begin(), chosen.end());
    EXPECT_EQ(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (int32_t& expert : chosen) expert /= 8;
    EXPECT_LE(std::unique(chosen.begin(), chosen.end()) - chosen.begin(), 3);
  }
}

TEST(MoeDispatchTest, SortsPlacesByExpertAndKeepsRowsInOrder) {
  MoeDispatch dispatch;
  dispatch.Build({{3, 0, 3, 1, 0, 3}}, 5, 2);
  ASSERT_EQ(dispatch.groups().size(), 3u);
  EXPECT_EQ(dispatch.groups()[0].expert, 0);
  EXPECT_EQ(dispatch.groups()[1].expert, 1);
  EXPECT_EQ(dispatch.groups()[2].expert, 3);
  EXPECT_EQ(dispatch.groups()[2].begin, 3);
  EXPECT_EQ(dispatch.groups()[2].count, 3);
  EXPECT_THAT(dispatch.rows(), testing::ElementsAre(0, 2, 1, 0, 1, 2));
  EXPECT_THAT(dispatch.places(), testing::ElementsAre(3, 0, 4, 2, 1, 5));
  dispatch.Build({}, 5, 2);
  EXPECT_TRUE(dispatch.groups().empty());
}

// Experts of a layer: y = x W_e^T, a row's answers weighed and added to the residual.
class Experts {
 public:
  Experts(DType dtype, ComputeThreads& threads) : dtype_(dtype), threads_(threads) {
    for (int expert = 0; expert < kExperts; ++expert) {
      values_.push_back(RandomFloats(kOutputs * kInputs, 10 + static_cast<uint32_t>(expert), 0.1f));
      packed_.push_back(PackOrDie({F32Part(values_.back(), kOutputs, kInputs)}, LinearKind::kPlain,
                                  dtype, threads));
    }
  }

  static constexpr int64_t kInputs = 48, kOutputs = 300;
  static constexpr int kExperts = 7, kChoices = 3;

  // Row `i` of `rows` is number rows[i] of an endless list.
  TestMatrix Run(const std::vector<int>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    std::vector<float> x;
    std::vector<float> residual;
    std::vector<int32_t> experts;
    std::vector<float> weights;
    for (const int row : rows) {
      const std::vector<float> of_row = RandomFloats(kInputs, 100 + static_cast<uint32_t>(row));
      x.insert(x.end(), of_row.begin(), of_row.end());
      const std::vector<float> added = RandomFloats(kOutputs, 900 + static_cast<uint32_t>(row));
      residual.insert(residual.end(), added.begin(), added.end());
      for (int choice = 0; choice < kChoices; ++choice) {
        experts.push_back(ExpertOf(row, choice));
        weights.push_back(WeightOf(row, choice));
      }
    }
    TestMatrix x_matrix(dtype_, count, kInputs, x);
    TestMatrix residual_matrix(DType::kF32, count, kOutputs, residual);
    TestMatrix sent(dtype_, count * kChoices, kInputs);
    TestMatrix answers(DType::kF32, count * kChoices, kOutputs);
    MoeDispatch dispatch;
    dispatch.Build(experts, kExperts, kChoices);
    std::vector<LinearArgs> products;
    for (const MoeDispatch::Group& group : dispatch.groups()) {
      products.push_back({.x = sent.view().Rows(group.begin, group.count),
                          .weights = &packed_[static_cast<size_t>(group.expert)],
                          .out = answers.view().Rows(group.begin, group.count)});
    }
    threads_.Run([&](const ComputeSlice& slice) {
      GatherRows({.x = x_matrix.view(), .dispatch = &dispatch, .out = sent.view()}, slice);
      slice.Sync();
      LinearGroup(products, slice);
      slice.Sync();
      CombineRows({.answers = answers.view(),
                   .weights = weights,
                   .dispatch = &dispatch,
                   .residual = residual_matrix.view(),
                   .out = residual_matrix.view()},
                  slice);
    });
    return residual_matrix;
  }

  double Expect(int row, int64_t output) const {
    const std::vector<float> x = RandomFloats(kInputs, 100 + static_cast<uint32_t>(row));
    double sum =
        RandomFloats(kOutputs, 900 + static_cast<uint32_t>(row))[static_cast<size_t>(output)];
    for (int choice = 0; choice < kChoices; ++choice) {
      const std::vector<float>& w = values_[static_cast<size_t>(ExpertOf(row, choice))];
      double answer = 0;
      for (int64_t i = 0; i < kInputs; ++i) {
        answer +=
            static_cast<double>(RoundedTo(dtype_, x[static_cast<size_t>(i)])) *
            static_cast<double>(RoundedTo(dtype_, w[static_cast<size_t>(output * kInputs + i)]));
      }
      sum += static_cast<double>(WeightOf(row, choice)) * answer;
    }
    return sum;
  }

 private:
  static int32_t ExpertOf(int row, int choice) { return (row * row + 2 * choice) % kExperts; }
  static float WeightOf(int row, int choice) {
    return 0.1f * static_cast<float>(1 + (row + choice) % 5);
  }

  const DType dtype_;
  ComputeThreads& threads_;
  std::vector<std::vector<float>> values_;
  std::vector<PackedLinear> packed_;
};

class ExpertsTest : public testing::TestWithParam<std::tuple<CpuIsa, DType>> {};

TEST_P(ExpertsTest, GiveTheWeighedSum) {
  const auto [isa, dtype] = GetParam();
  ComputeThreads threads({.thread_count = 3, .isa = isa});
  Experts experts(dtype, threads);
  std::vector<int> rows(40);
  std::iota(rows.begin(), rows.end(), 0);
  const TestMatrix out = experts.Run(rows);
  for (const int row : {0, 1, 17, 39}) {
    for (int64_t output = 0; output < Experts::kOutputs; output += 13) {
      ASSERT_NEAR(out.At(row, output), experts.Expect(row, output), 1e-5) << row << " " << output;
    }
  }
}

TEST_P(ExpertsTest, ARowsBitsDoNotDependOnOthersNorOnThreads) {
  const auto [isa, dtype] = GetParam();
  ComputeThreads one({.thread_count = 1, .isa = isa});
  ComputeThreads four({.thread_count = 4, .isa = isa});
  Experts alone(dtype, one);
  Experts shared(dtype, four);
  std::vector<int> rows(150);
  std::iota(rows.begin(), rows.end(), 0);
  const TestMatrix many = shared.Run(rows);
  std::reverse(rows.begin(), rows.end());
  const TestMatrix reversed = alone.Run(rows);
  for (int row = 0; row < 150; ++row) {
    ASSERT_TRUE(reversed.SameRow(149 - row, many, row)) << row;
    if (row % 9 != 0) continue;
    ASSERT_TRUE(alone.Run({row}).SameRow(0, many, row)) << row;
    ASSERT_TRUE(shared.Run({row, 3}).SameRow(0, many, row)) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, ExpertsTest,
                         testing::Combine(testing::ValuesIn(SupportedIsas()),
                                          testing::Values(DType::kBf16, DType::kF32)),
                         [](const auto& info) {
                           return std::string(NameOf(std::get<0>(info.param))) + "_" +
                                  std::string(NameOf(std::get<1>(info.param)));
                         });

// Also where some products have many rows and others none, plain and gated, with more threads than
// columns to share.
TEST(LinearGroupTest, GivesTheBitsOfOneProductAfterTheOther) {
  ComputeThreads threads({.thread_count = 5});
  std::vector<PackedLinear> packed;
  std::vector<TestMatrix> x;
  std::vector<TestMatrix> expected;
  std::vector<TestMatrix> out;
  const int64_t rows[] = {1, 0, 37, 3};
  for (int i = 0; i < 4; ++i) {
    const auto seed = static_cast<uint32_t>(i);
    const std::vector<float> w = RandomFloats(2 * 96 * 32, seed);
    const LinearPart gate = F32Part(w, 96, 32);
    packed.push_back(i == 2 ? PackOrDie({gate, gate}, LinearKind::kGated, DType::kF32, threads)
                            : PackOrDie({gate}, LinearKind::kPlain, DType::kF32, threads));
    x.emplace_back(DType::kF32, rows[i], 32,
                   RandomFloats(static_cast<size_t>(rows[i] * 32), 50 + seed));
    expected.emplace_back(DType::kF32, rows[i], 96);
    out.emplace_back(DType::kF32, rows[i], 96);
  }
  std::vector<LinearArgs> products;
  for (size_t i = 0; i < 4; ++i) {
    threads.Run([&](const ComputeSlice& slice) {
      Linear({.x = x[i].view(), .weights = &packed[i], .out = expected[i].view()}, slice);
    });
    products.push_back({.x = x[i].view(), .weights = &packed[i], .out = out[i].view()});
  }
  threads.Run([&](const ComputeSlice& slice) { LinearGroup(products, slice); });
  for (size_t i = 0; i < 4; ++i) {
    for (int64_t row = 0; row < rows[i]; ++row) {
      EXPECT_TRUE(out[i].SameRow(row, expected[i], row)) << i << " " << row;
    }
  }
}

}  // namespace
}  // namespace baton::worker
