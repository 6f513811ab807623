// What every line of samplers.def must hold, and the laws of draws that no oracle's random numbers
// can show. A new line needs parameters that turn it on, below, and is tested by that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "worker/sampling/sampler.h"
#include "worker/sampling/sampler_order.h"
#include "worker/sampling_params/dry_breakers.h"
#include "worker/sampling_params/infill_tokens.h"

namespace baton::worker {
namespace {

constexpr size_t kVocab = 500;

const std::vector<std::string>& StageNames() {
  static const std::vector<std::string>& names = *new std::vector<std::string>{
#define BATON_SAMPLER(name) #name,
#include "worker/sampling/samplers.def"
#undef BATON_SAMPLER
  };
  return names;
}

// All that a draw depends on and that can turn a stage on.
struct Conditions : SamplingParams {
  std::vector<uint32_t> allowed;  // SampleRequest::allowed
};

// Turns each stage on.
const std::map<std::string, std::function<void(Conditions&)>>& Switches() {
  using Params = Conditions&;
  static const auto& switches = *new std::map<std::string, std::function<void(Conditions&)>>{
      {"constraint_mask",
       [](Params p) {
         p.allowed = {0x000ff0f8, 0, 0x80000001};
       }},
      {"allowed_tokens",
       [](Params p) {
         p.allowed_token_ids = {3, 77, 78, 499};
       }},
      {"bad_words",
       [](Params p) {
         p.bad_words = {{5}, {1, 2}};
       }},
      {"stop_ban", [](Params p) { p.min_tokens = 1000; }},
      {"logit_bias",
       [](Params p) {
         p.logit_bias = {{4, 5.0f}, {9, -INFINITY}};
       }},
      {"thinking_budget",
       [](Params p) {
         p.thinking = {.tokens = 4,
                       .openers = {{1, 2}},
                       .closers = {{3, 1}},
                       .forced_end = {3, 1},
                       .spent_in_prompt = 0};
       }},
      {"penalties", [](Params p) { p.repetition_penalty = 1.3f; }},
      {"dry",
       [](Params p) {
         p.dry.multiplier = 1;
         p.dry.allowed_length = 1;
         auto breakers = std::make_shared<DryBreakers>();
         breakers->Add(7, {});
         breakers->Add(8, {9});
         p.dry.breakers = std::move(breakers);
       }},
      {"temperature",
       [](Params p) {
         p.temperature = 0.9f;
         p.dynatemp_range = 0.4f;
       }},
      {"top_n_sigma", [](Params p) { p.top_n_sigma = 1.5f; }},
      {"min_p", [](Params p) { p.min_p = 0.05f; }},
      {"top_k", [](Params p) { p.top_k = 20; }},
      {"typ_p", [](Params p) { p.typical_p = 0.8f; }},
      {"top_p", [](Params p) { p.top_p = 0.7f; }},
      {"xtc",
       [](Params p) {
         p.xtc_probability = 0.5f;
         p.xtc_threshold = 0.05f;
       }},
      {"infill",
       [](Params p) {
         std::vector<std::string> texts;
         for (size_t token = 0; token < kVocab; ++token) texts.push_back(std::to_string(token));
         p.infill = std::make_shared<InfillTokens>(
             std::vector<std::string_view>(texts.begin(), texts.end()), 6);
       }},
      {"mirostat", [](Params p) { p.mirostat = {.version = 2, .tau = 3, .eta = 0.2f}; }},
  };
  return switches;
}

// A model: logits that depend on the last two tokens.
std::vector<float> LogitsAfter(absl::Span<const TokenId> history) {
  const size_t count = history.size();
  std::mt19937 random(history[count - 1] * 1009 + history[count - 2]);
  std::normal_distribution<float> normal(0, 2.5f);
  std::vector<float> logits(kVocab);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

// One sequence while it is generated.
struct Sequence {
  std::vector<TokenId> history = {1, 2, 3, 1, 2};
  std::string state;

  TokenId Step(Sampler& sampler, const Conditions& params, int32_t choice) {
    static const std::vector<TokenId>& stops = *new std::vector<TokenId>{0, 6};
    SampleRequest request;
    request.params = &params;
    request.choice = choice;
    request.history = history;
    request.prompt_count = 5;
    request.output_position = static_cast<int32_t>(history.size()) - 5;
    request.stop_ids = stops;
    request.allowed = params.allowed;
    request.state = state;
    const SampledToken sampled = sampler.Sample(LogitsAfter(history), request);
    history.push_back(sampled.token);
    state = sampled.state;
    return sampled.token;
  }
};

class SamplerConformance : public ::testing::TestWithParam<std::string> {
 protected:
  Conditions Params() {
    Conditions params;
    params.seed = 12;
    const auto found = Switches().find(GetParam());
    EXPECT_NE(found, Switches().end()) << "no parameters turn " << GetParam() << " on";
    if (found != Switches().end()) found->second(params);
    return params;
  }
};

// Several sequences in turns, by one sampler, give what each gives alone.
TEST_P(SamplerConformance, TheBatchDoesNotMatter) {
  const Conditions params = Params();
  Sampler shared(kVocab);
  std::vector<Sequence> together(3);
  for (int step = 0; step < 30; ++step) {
    for (int32_t choice = 2; choice >= 0; --choice) {
      together[static_cast<size_t>(choice)].Step(shared, params, choice);
    }
  }
  for (int32_t choice = 0; choice < 3; ++choice) {
    Sampler own(kVocab);
    Sequence alone;
    for (int step = 0; step < 30; ++step) alone.Step(own, params, choice);
    EXPECT_EQ(alone.history, together[static_cast<size_t>(choice)].history) << choice;
  }
}

// History and state are all that another worker needs.
TEST_P(SamplerConformance, GoesOnElsewhere) {
  const Conditions params = Params();
  Sampler first(kVocab);
  Sampler second(kVocab);
  Sequence whole;
  Sequence moved;
  for (int step = 0; step < 40; ++step) {
    whole.Step(first, params, 0);
    moved.Step(step % 3 == 0 ? first : second, params, 0);
  }
  EXPECT_EQ(moved.history, whole.history);
}

// What is drawn could be drawn: it has a probability of its own distribution.
TEST_P(SamplerConformance, DrawsWhatIsLeft) {
  Conditions params = Params();
  params.logprobs = 0;
  params.post_sampling_probs = true;
  Sampler sampler(kVocab);
  SampleRequest request;
  request.params = &params;
  request.allowed = params.allowed;
  const std::vector<TokenId> history = {4, 5, 4, 5, 4};
  request.history = history;
  for (int position = 0; position < 50; ++position) {
    request.output_position = position;
    const SampledToken sampled = sampler.Sample(LogitsAfter(history), request);
    EXPECT_TRUE(std::isfinite(sampled.logprob.sampled));
    EXPECT_LE(sampled.logprob.sampled, 1e-6f);
  }
}

INSTANTIATE_TEST_SUITE_P(Stages, SamplerConformance, ::testing::ValuesIn(StageNames()),
                         [](const auto& info) { return info.param; });

// How often each token is drawn.
std::map<TokenId, int> Histogram(const std::vector<float>& logits, const SamplingParams& params,
                                 int draws) {
  Sampler sampler(static_cast<int32_t>(logits.size()));
  std::map<TokenId, int> seen;
  const std::vector<TokenId> history = {0};
  SampleRequest request;
  request.params = &params;
  request.history = history;
  for (int i = 0; i < draws; ++i) {
    request.output_position = i;
    ++seen[sampler.Sample(logits, request).token];
  }
  return seen;
}

TEST(SamplerLaws, XtcActsAsOftenAsItSays) {
  // p = 0.5, 0.3, 0.2: with the chance 0.25 only the last of the first two is left of these.
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  SamplingParams params;
  params.xtc_probability = 0.25f;
  params.xtc_threshold = 0.3f;
  params.seed = 3;
  constexpr int kDraws = 40000;
  const auto seen = Histogram(logits, params, kDraws);
  // Without it 0.5; with it 0.
  EXPECT_NEAR(seen.at(0) / double{kDraws}, 0.75 * 0.5, 0.01);
  EXPECT_NEAR(seen.at(1) / double{kDraws}, 0.75 * 0.3 + 0.25 * 0.6, 0.01);
}

TEST(SamplerLaws, TypicalLeavesTheDistributionOfWhatItKeeps) {
  const std::vector<float> logits = {std::log(0.6f), std::log(0.2f), std::log(0.15f),
                                     std::log(0.05f)};
  SamplingParams params;
  params.typical_p = 0.7f;
  params.seed = 4;
  constexpr int kDraws = 40000;
  const auto seen = Histogram(logits, params, kDraws);
  double kept = 0;
  for (const auto& [token, count] : seen) kept += std::exp(static_cast<double>(logits[token]));
  for (const auto& [token, count] : seen) {
    EXPECT_NEAR(count / double{kDraws}, std::exp(static_cast<double>(logits[token])) / kept, 0.012);
  }
  EXPECT_LT(seen.size(), 4u);
}

// The surprise of what is drawn settles at tau.
TEST(SamplerLaws, MirostatHoldsItsSurprise) {
  for (const int32_t version : {1, 2}) {
    for (const float tau : {2.0f, 4.0f}) {
      SamplingParams params;
      params.mirostat = {.version = version, .tau = tau, .eta = 0.1f};
      params.seed = 8;
      params.logprobs = 0;
      params.post_sampling_probs = true;
      Sampler sampler(kVocab);
      Sequence run;
      SampleRequest request;
      request.params = &params;
      double surprise = 0;
      constexpr int kSteps = 1500;
      for (int step = 0; step < kSteps; ++step) {
        request.history = run.history;
        request.output_position = step;
        request.state = run.state;
        const SampledToken sampled = sampler.Sample(LogitsAfter(run.history), request);
        run.history.push_back(sampled.token);
        run.state = sampled.state;
        if (step >= 100) surprise -= static_cast<double>(sampled.logprob.sampled) / std::log(2.0);
      }
      EXPECT_NEAR(surprise / (kSteps - 100), static_cast<double>(tau), 0.25) << version;
    }
  }
}

TEST(SamplerLaws, GreedyIsNotMovedByTruncations) {
  SamplingParams params;
  params.temperature = 0;
  params.top_k = 3;
  params.top_p = 0.1f;
  params.min_p = 0.9f;
  params.top_n_sigma = 0.1f;
  params.mirostat.version = 2;
  Sampler sampler(3);
  const std::vector<float> logits = {0, 5, 4};
  const std::vector<TokenId> history = {0};
  SampleRequest request;
  request.params = &params;
  request.history = history;
  const SampledToken sampled = sampler.Sample(logits, request);
  EXPECT_EQ(sampled.token, 1u);
  EXPECT_EQ(sampled.state, "") << "a greedy request needs no state to be resumed";
}

TEST(SamplerLaws, AnOrderRunsWhatItNamesAndNothingElse) {
  const auto order = ParseSamplerOrder({"temperature", "min_p"});
  ASSERT_TRUE(order.ok()) << order.status();
  // At T = 4 min_p 0.3 keeps both; top_k 1 is not named.
  SamplingParams params;
  params.temperature = 4;
  params.top_k = 1;
  params.min_p = 0.3f;
  params.order = *order;
  const std::vector<float> logits = {4, 0};
  EXPECT_EQ(Histogram(logits, params, 400).size(), 2u);
  // The other way round it sees the raw distribution.
  params.order = *ParseSamplerOrder({"min_p", "temperature"});
  EXPECT_EQ(Histogram(logits, params, 400).size(), 1u);
  const absl::Status unknown = ParseSamplerOrder({"top_q"}).status();
  EXPECT_THAT(std::string(unknown.message()), ::testing::HasSubstr("top_q; known: penalties, dry"));
  EXPECT_FALSE(ParseSamplerOrder({"mirostat"}).ok());
  EXPECT_FALSE(ParseSamplerOrder({"logit_bias"}).ok());
}

// Tokens 0 to 2 are "a", "ab" and "b"; 3 ends the text.
class InfillLaws : public ::testing::Test {
 protected:
  InfillLaws() {
    static constexpr std::string_view kTexts[] = {"a", "ab", "b", ""};
    params_.infill = std::make_shared<InfillTokens>(kTexts, 3);
    params_.order = *ParseSamplerOrder({"infill"});
    params_.seed = 5;
  }

  TokenId Drawn(const std::vector<float>& probabilities) {
    std::vector<float> logits;
    for (const float p : probabilities) logits.push_back(std::log(p));
    Sampler sampler(4);
    const std::vector<TokenId> history = {0};
    const std::vector<TokenId> ends = {3};
    SampleRequest request;
    request.params = &params_;
    request.history = history;
    request.stop_ids = ends;
    return sampler.Sample(logits, request).token;
  }

  SamplingParams params_;
};

TEST_F(InfillLaws, WhatBeginsTheSameStandsTogether) {
  // Apart, each would be likely enough; together "a" and "ab" are twice as likely as "b".
  for (params_.seed = 0; params_.seed < 20; ++params_.seed) {
    EXPECT_EQ(Drawn({0.29f, 0.39f, 0.31f, 0.01f}), 1u);
  }
}

TEST_F(InfillLaws, AnEndThatMayBeIsTaken) {
  EXPECT_EQ(Drawn({0.3f, 0.3f, 0.3f, 0.1f}), 3u);
  params_.temperature = 0;  // the likeliest of what is left, and nothing else is
  EXPECT_EQ(Drawn({0.3f, 0.3f, 0.3f, 0.1f}), 3u);
}

TEST_F(InfillLaws, WhatMayNotEndGoesOn) {
  params_.min_tokens = 5;
  EXPECT_NE(Drawn({0.1f, 0.1f, 0.1f, 0.7f}), 3u);
}

TEST(SamplerLaws, LogprobsOfNamedTokens) {
  SamplingParams params;
  params.temperature = 0;
  params.logprobs = 0;
  params.logprob_token_ids = {2, 0};
  Sampler sampler(3);
  const std::vector<float> logits = {0, 5, 4};
  const std::vector<TokenId> history = {0};
  SampleRequest request;
  request.params = &params;
  request.history = history;
  const SampledToken sampled = sampler.Sample(logits, request);
  ASSERT_EQ(sampled.logprob.top.size(), 2u);
  EXPECT_EQ(sampled.logprob.top[0].first, 2u);
  EXPECT_NEAR(sampled.logprob.top[0].second - sampled.logprob.sampled, -1.0f, 1e-5f);
}

}  // namespace
}  // namespace baton::worker
