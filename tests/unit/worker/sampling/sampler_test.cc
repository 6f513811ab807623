#include "worker/sampling/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "worker/sampling/logit_math.h"

namespace baton::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

SampleRequest RequestOf(const SamplingParams& params, absl::Span<const TokenId> history = {},
                        int32_t prompt_count = 0) {
  SampleRequest request;
  request.params = &params;
  request.history = history;
  request.prompt_count = prompt_count;
  return request;
}

std::vector<float> RandomLogits(size_t count, uint32_t seed, float spread = 4) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

TEST(Sampler, GreedyTakesTheLowestOfEquals) {
  Sampler sampler(5);
  const SamplingParams params{.temperature = 0};
  const std::vector<float> logits = {1, 7, 2, 7, 0};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params)).token, 1u);
}

TEST(Sampler, PenaltiesBeforeTheArgmax) {
  Sampler sampler(4);
  const std::vector<float> logits = {4.0f, 3.9f, -1.0f, 3.0f};
  const std::vector<TokenId> history = {0, 1, 1, 0};  // prompt: 0 1, output: 1 0
  SamplingParams params{.temperature = 0, .repetition_penalty = 2.0f};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 2)).token, 3u);
  params = {.temperature = 0, .presence_penalty = 2.0f};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 4)).token, 0u)
      << "presence counts output only";
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 3)).token, 1u);
  params = {.temperature = 0, .frequency_penalty = 0.08f};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 2)).token, 0u);
  const std::vector<TokenId> repeats = {0, 0, 0};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, repeats, 0)).token, 1u);
}

TEST(Sampler, RepetitionPenaltyMultipliesNegativeLogits) {
  Sampler sampler(2);
  const std::vector<float> logits = {-1.0f, -1.5f};
  const std::vector<TokenId> history = {0};
  const SamplingParams params{.temperature = 0, .repetition_penalty = 2.0f};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 1)).token, 1u);
}

TEST(Sampler, MinTokensBansEveryStopId) {
  Sampler sampler(4);
  const std::vector<float> logits = {9, 8, 7, 6};
  const std::vector<TokenId> stop_ids = {0, 1};
  const SamplingParams params{.temperature = 0, .min_tokens = 3};
  SampleRequest request = RequestOf(params);
  request.stop_ids = stop_ids;
  request.output_position = 2;
  EXPECT_EQ(sampler.Sample(logits, request).token, 2u);
  request.output_position = 3;
  EXPECT_EQ(sampler.Sample(logits, request).token, 0u);
}

TEST(Sampler, LogitBiasComesBeforePenalties) {
  Sampler sampler(3);
  const std::vector<float> logits = {1, 0, 2.5f};
  const std::vector<TokenId> history = {1};
  // 1: (0 + 4) / 2 = 2 < 2.5; were the bias added last, it would be 4.
  const SamplingParams params{
      .temperature = 0, .repetition_penalty = 2.0f, .logit_bias = {{1, 4.0f}}};
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params, history, 1)).token, 2u);
  EXPECT_EQ(sampler.Sample(logits, RequestOf(params)).token, 1u);
}

// min_p is relative to the tempered distribution: at T = 4 the second token is within it.
TEST(Sampler, TemperatureComesBeforeMinP) {
  Sampler sampler(2);
  const std::vector<float> logits = {4, 0};
  std::map<TokenId, int> seen;
  SamplingParams params{.temperature = 4, .min_p = 0.3f};
  for (uint64_t seed = 0; seed < 200; ++seed) {
    params.seed = seed;
    ++seen[sampler.Sample(logits, RequestOf(params)).token];
  }
  EXPECT_EQ(seen.size(), 2u);
  params.temperature = 1;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    params.seed = seed;
    EXPECT_EQ(sampler.Sample(logits, RequestOf(params)).token, 0u);
  }
}

// Draws follow the softmax: chi-squared over tokens spread across several groups of the race.
TEST(Sampler, DrawsFollowTheDistribution) {
  constexpr size_t kVocab = 200;
  constexpr int kDraws = 40000;
  Sampler sampler(kVocab);
  const std::vector<float> logits = RandomLogits(kVocab, 3, 1.5f);
  double total = 0;
  for (float logit : logits) total += std::exp(static_cast<double>(logit));
  std::vector<int> counts(kVocab);
  SamplingParams params{.seed = 99};
  for (int i = 0; i < kDraws; ++i) {
    SampleRequest request = RequestOf(params);
    request.output_position = i;
    ++counts[sampler.Sample(logits, request).token];
  }
  double chi_squared = 0;
  for (size_t token = 0; token < kVocab; ++token) {
    const double expected = kDraws * std::exp(static_cast<double>(logits[token])) / total;
    chi_squared += (counts[token] - expected) * (counts[token] - expected) / expected;
  }
  EXPECT_LT(chi_squared, 290) << "199 degrees of freedom: 290 is beyond 1 in 30,000";
}

TEST(Sampler, EveryCoordinateOfTheKeyMatters) {
  Sampler sampler(1000);
  const std::vector<float> logits(1000, 0.0f);
  SamplingParams params{.seed = 5};
  SampleRequest request = RequestOf(params);
  const TokenId base = sampler.Sample(logits, request).token;
  EXPECT_EQ(sampler.Sample(logits, request).token, base);
  request.choice = 1;
  const TokenId other_choice = sampler.Sample(logits, request).token;
  request.choice = 0;
  request.output_position = 1;
  const TokenId other_position = sampler.Sample(logits, request).token;
  params.seed = 6;
  request.output_position = 0;
  const TokenId other_seed = sampler.Sample(logits, request).token;
  EXPECT_NE(other_choice, base);
  EXPECT_NE(other_position, base);
  EXPECT_NE(other_seed, base);
}

TEST(Sampler, EarlierCallsLeaveNoTrace) {
  const std::vector<float> logits = RandomLogits(3000, 11);
  const std::vector<TokenId> history = {1, 2, 3, 2999, 2};
  SamplingParams params{.temperature = 0.8f, .top_k = 50, .top_p = 0.9f, .min_p = 0.01f};
  params.repetition_penalty = 1.2f;
  params.frequency_penalty = 0.3f;
  Sampler used(3000);
  for (int i = 0; i < 50; ++i) {
    params.seed = static_cast<uint64_t>(i);
    const SampleRequest request = RequestOf(params, history, 2);
    Sampler fresh(3000);
    EXPECT_EQ(used.Sample(logits, request).token, fresh.Sample(logits, request).token);
  }
}

TEST(Sampler, LogprobsComeFromTheRawLogits) {
  const std::vector<float> logits = RandomLogits(49152, 21);
  double total = 0;
  for (float logit : logits) total += std::exp(static_cast<double>(logit));
  Sampler sampler(49152);
  SamplingParams params{.temperature = 0.5f, .top_k = 3, .logit_bias = {{17, 100.0f}}};
  params.logprobs = 5;
  const SampledToken sampled = sampler.Sample(logits, RequestOf(params));
  ASSERT_EQ(sampled.token, 17u);
  const auto exact = [&](TokenId id) { return static_cast<double>(logits[id]) - std::log(total); };
  EXPECT_NEAR(static_cast<double>(sampled.logprob.sampled), exact(17), 2e-6);
  int rank = 1;
  for (float logit : logits) rank += logit > logits[17];
  EXPECT_EQ(sampled.logprob.rank, rank);
  ASSERT_EQ(sampled.logprob.top.size(), 5u);
  EXPECT_EQ(sampled.logprob.top[0].first, static_cast<TokenId>(ArgMax(logits)));
  for (const auto& [id, logprob] : sampled.logprob.top) {
    EXPECT_NEAR(static_cast<double>(logprob), exact(id), 2e-6);
  }
}

TEST(Sampler, LogprobsOfZeroAlternatives) {
  Sampler sampler(3);
  SamplingParams params{.temperature = 0};
  params.logprobs = 0;
  const std::vector<float> logits = {0, 1, 0};
  const SampledToken sampled = sampler.Sample(logits, RequestOf(params));
  EXPECT_TRUE(sampled.logprob.top.empty());
  EXPECT_EQ(sampled.logprob.rank, 1);
}

TEST(LogitMath, ExponentialsAreAccurate) {
  std::vector<float> values;
  for (int i = 0; i < 8700; ++i) values.push_back(static_cast<float>(-i) * 0.01f);
  std::vector<float> weights(values.size());
  Exponentials(values, 0.0f, -1e30f, absl::MakeSpan(weights));
  for (size_t i = 0; i < values.size(); ++i) {
    const double exact = std::exp(static_cast<double>(values[i]));
    EXPECT_NEAR(static_cast<double>(weights[i]) / exact, 1.0, 2e-7) << values[i];
  }
}

TEST(LogitMath, ArgMaxOnEveryLength) {
  for (size_t size = 1; size < 200; ++size) {
    std::vector<float> values(size, -1.0f);
    values[size - 1] = 2.0f;
    EXPECT_EQ(ArgMax(values), static_cast<int32_t>(size - 1));
  }
}

}  // namespace
}  // namespace baton::worker
