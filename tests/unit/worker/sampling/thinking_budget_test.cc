// What thinking_token_budget forces, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "worker/sampling/sampler.h"

namespace baton::worker {
namespace {

using ::testing::ElementsAre;

constexpr TokenId kOpen = 10;
constexpr TokenId kClose = 11;
constexpr TokenId kCall = 12;     // ends thinking, too
constexpr TokenId kLikely = 3;    // what the model would go on with
constexpr TokenId kUnlikely = 4;  // and what it would not
constexpr size_t kVocab = 40;

SamplingParams Budget(int32_t tokens) {
  SamplingParams params;
  params.temperature = 0;
  params.thinking.emplace();
  params.thinking->tokens = tokens;
  params.thinking->openers = {{kOpen}};
  params.thinking->closers = {{kClose}, {kCall}};
  params.thinking->forced_end = {kClose};
  return params;
}

std::vector<float> Logits() {
  std::vector<float> logits(kVocab, 0.0f);
  logits[kLikely] = 8;
  logits[kUnlikely] = -8;
  return logits;
}

TokenId Next(const SamplingParams& params, std::vector<TokenId> history, int32_t prompt_count,
             absl::Span<const uint32_t> allowed = {}) {
  Sampler sampler(kVocab);
  SampleRequest request;
  request.params = &params;
  request.history = history;
  request.prompt_count = prompt_count;
  request.output_position = static_cast<int32_t>(history.size()) - prompt_count;
  request.allowed = allowed;
  return sampler.Sample(Logits(), request).token;
}

// What comes out behind `history`, token by token.
std::vector<TokenId> Generated(const SamplingParams& params, std::vector<TokenId> history,
                               int steps) {
  const auto prompt_count = static_cast<int32_t>(history.size());
  std::vector<TokenId> output;
  for (int i = 0; i < steps; ++i) {
    output.push_back(Next(params, history, prompt_count));
    history.push_back(output.back());
  }
  return output;
}

TEST(ThinkingBudget, CountsFromThePromptsEnd) {
  SamplingParams params = Budget(3);
  params.thinking->spent_in_prompt = 0;
  EXPECT_THAT(Generated(params, {1, kOpen}, 6),
              ElementsAre(kLikely, kLikely, kLikely, kClose, kLikely, kLikely));
  params.thinking->spent_in_prompt = 2;
  EXPECT_THAT(Generated(params, {kOpen, 1, 1}, 3), ElementsAre(kLikely, kClose, kLikely));
  params.thinking->spent_in_prompt = 9;
  EXPECT_THAT(Generated(params, {kOpen, 1, 1}, 2), ElementsAre(kClose, kLikely));
}

TEST(ThinkingBudget, NothingAtAll) {
  SamplingParams params = Budget(0);
  params.thinking->spent_in_prompt = 0;
  EXPECT_THAT(Generated(params, {1, kOpen}, 2), ElementsAre(kClose, kLikely));
}

TEST(ThinkingBudget, OutsideOfThinkingIsFree) {
  EXPECT_THAT(Generated(Budget(1), {1, kOpen}, 4), ElementsAre(kLikely, kLikely, kLikely, kLikely))
      << "marks in the prompt are the caller's to judge";
  SamplingParams params = Budget(1);
  params.thinking->spent_in_prompt = 0;
  EXPECT_EQ(Next(params, {1, kOpen, kCall, 5, 5, 5}, 2), kLikely) << "a call ends it, too";
  EXPECT_EQ(Next(params, {1, kOpen, 5, kClose, 5, 5}, 2), kLikely);
}

TEST(ThinkingBudget, IsWholeAgainWhenItThinksAgain) {
  const SamplingParams params = Budget(2);
  EXPECT_EQ(Next(params, {1, kOpen, 5, kClose, kOpen, 5}, 1), kLikely);
  EXPECT_EQ(Next(params, {1, kOpen, 5, kClose, kOpen, 5, 5}, 1), kClose);
}

TEST(ThinkingBudget, AnEndOfSeveralTokens) {
  SamplingParams params = Budget(2);
  params.thinking->openers = {{20, 21}};
  params.thinking->closers = {{22, 23, 22, 24}};
  params.thinking->forced_end = params.thinking->closers.front();
  params.thinking->spent_in_prompt = 0;
  EXPECT_THAT(Generated(params, {1, 20, 21}, 7),
              ElementsAre(kLikely, kLikely, 22, 23, 22, 24, kLikely));
  EXPECT_EQ(Next(params, {1, 20, 21, 5, 22, 23, 22}, 3), 24u) << "it had begun by itself";
  EXPECT_EQ(Next(params, {1, 20, 21, 5, 5, 22, 23, 5}, 3), 22u) << "and was left again";
  EXPECT_EQ(Next(params, {1, 20, 21, 5}, 2), kLikely) << "the opener ends in the output";
  EXPECT_EQ(Next(params, {1, 20, 21, 5, 5}, 2), 22u);
}

TEST(ThinkingBudget, NoRuleStandsAgainstIt) {
  SamplingParams params = Budget(0);
  params.thinking->spent_in_prompt = 0;
  params.bad_words = {{kClose}};
  params.allowed_token_ids = {kLikely};
  params.logit_bias = {{kClose, -INFINITY}};
  EXPECT_EQ(Next(params, {kOpen}, 1), kClose);
  params.temperature = 1;
  params.xtc_probability = 1;
  params.min_p = 1;
  EXPECT_EQ(Next(params, {kOpen}, 1), kClose);
  params.mirostat.version = 2;
  EXPECT_EQ(Next(params, {kOpen}, 1), kClose);
}

TEST(ThinkingBudget, ButAConstraint) {
  SamplingParams params = Budget(0);
  params.thinking->spent_in_prompt = 0;
  const std::vector<uint32_t> allowed = {1u << kUnlikely, 0};
  EXPECT_EQ(Next(params, {kOpen}, 1, allowed), kUnlikely);
  const std::vector<uint32_t> both = {1u << kUnlikely | 1u << kClose, 0};
  EXPECT_EQ(Next(params, {kOpen}, 1, both), kClose);
}

TEST(ThinkingBudget, LogprobsAreTheModels) {
  SamplingParams params = Budget(0);
  params.thinking->spent_in_prompt = 0;
  params.thinking->forced_end = {kUnlikely};
  params.logprobs = 1;
  Sampler sampler(kVocab);
  SampleRequest request;
  request.params = &params;
  const std::vector<TokenId> history = {kOpen};
  request.history = history;
  request.prompt_count = 1;
  const SampledToken sampled = sampler.Sample(Logits(), request);
  EXPECT_EQ(sampled.token, kUnlikely);
  EXPECT_EQ(sampled.logprob.rank, static_cast<int32_t>(kVocab));
  EXPECT_EQ(sampled.logprob.top.front().first, kLikely);
  EXPECT_LT(sampled.logprob.sampled, -15.0f);
}

}  // namespace
}  // namespace baton::worker
