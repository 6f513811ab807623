// The floor-and-ties form of a truncated distribution against a plain sort of the vocabulary.
#include "worker/sampling/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace baton::worker {
namespace {

struct Truncation {
  float min_p;
  int top_k;
  float top_p;
};

// Ranked ids, best first, the lower one first among equals.
std::vector<TokenId> RankBySort(const std::vector<float>& logits) {
  std::vector<TokenId> ids(logits.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<TokenId>(i);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
  return ids;
}

std::set<TokenId> KeptBySort(const std::vector<float>& logits, const Truncation& truncation) {
  std::vector<TokenId> ids = RankBySort(logits);
  const float max = logits[ids[0]];
  if (truncation.min_p > 0) {
    const float floor = max + std::log(truncation.min_p);
    std::erase_if(ids, [&](TokenId id) { return logits[id] < floor; });
  }
  if (truncation.top_k > 0 && ids.size() > static_cast<size_t>(truncation.top_k)) {
    ids.resize(static_cast<size_t>(truncation.top_k));
  }
  if (truncation.top_p < 1) {
    double total = 0;
    for (TokenId id : ids) total += std::exp(static_cast<double>(logits[id] - max));
    double mass = 0;
    size_t count = 0;
    while (count < ids.size() && mass < total * static_cast<double>(truncation.top_p)) {
      mass += std::exp(static_cast<double>(logits[ids[count++]] - max));
    }
    ids.resize(std::max<size_t>(count, 1));
  }
  return {ids.begin(), ids.end()};
}

std::set<TokenId> Kept(Candidates& candidates, const std::vector<float>& logits,
                       const Truncation& truncation) {
  candidates.Reset(logits);
  if (truncation.min_p > 0) {
    candidates.KeepAtLeast(candidates.Max() + std::log(truncation.min_p));
  }
  if (truncation.top_k > 0) candidates.KeepTop(truncation.top_k);
  if (truncation.top_p < 1) candidates.KeepMass(truncation.top_p);
  const absl::Span<const float> weights = candidates.Weights();
  std::set<TokenId> kept;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) kept.insert(static_cast<TokenId>(i));
  }
  return kept;
}

TEST(Candidates, TruncationsEqualASort) {
  std::mt19937 random(7);
  Candidates candidates(2000);
  for (int round = 0; round < 400; ++round) {
    const size_t size = 1 + random() % 2000;
    const float spread = static_cast<float>(1 + random() % 20);
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> logits(size);
    for (float& logit : logits) logit = normal(random);
    if (round % 3 == 0) {  // many ties
      for (float& logit : logits) logit = std::round(logit);
    }
    const Truncation truncation{
        .min_p = round % 2 == 0 ? 0.0f : 0.02f,
        .top_k = round % 5 == 0 ? 0 : static_cast<int>(1 + random() % size),
        .top_p = round % 4 == 0 ? 1.0f : 0.001f * static_cast<float>(1 + random() % 998)};
    std::set<TokenId> expected = KeptBySort(logits, truncation);
    const std::set<TokenId> kept = Kept(candidates, logits, truncation);
    // Weights below e^-87 are none.
    const float max = *std::max_element(logits.begin(), logits.end());
    std::erase_if(expected, [&](TokenId id) { return logits[id] - max <= -87.0f; });
    // Where the mass meets the share within rounding, the sets may differ by the last token.
    if (kept.size() != expected.size() && truncation.top_p < 1) {
      EXPECT_LE(std::abs(static_cast<int>(kept.size()) - static_cast<int>(expected.size())), 1);
      continue;
    }
    EXPECT_EQ(kept, expected) << "round " << round;
  }
}

TEST(Candidates, RankedEqualsASort) {
  std::mt19937 random(8);
  Candidates candidates(500);
  for (int round = 0; round < 100; ++round) {
    std::vector<float> logits(1 + random() % 500);
    for (float& logit : logits) logit = static_cast<float>(random() % 50);
    std::vector<TokenId> expected = RankBySort(logits);
    const auto count = static_cast<int32_t>(random() % 40);
    if (expected.size() > static_cast<size_t>(count)) expected.resize(static_cast<size_t>(count));
    candidates.Reset(logits);
    const absl::Span<const TokenId> ranked = candidates.Ranked(count);
    EXPECT_EQ(std::vector<TokenId>(ranked.begin(), ranked.end()), expected);
  }
}

TEST(Candidates, AlwaysKeepsTheBest) {
  const std::vector<float> logits = {1, 5, 3};
  Candidates candidates(3);
  EXPECT_EQ(Kept(candidates, logits, {.min_p = 1, .top_k = 0, .top_p = 1}), std::set<TokenId>{1});
  EXPECT_EQ(Kept(candidates, logits, {.min_p = 0, .top_k = 0, .top_p = 1e-9f}),
            std::set<TokenId>{1});
}

TEST(Candidates, SurvivesNanAndBannedRows) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  Candidates candidates(4);
  EXPECT_EQ(Kept(candidates, {nan, 1, nan, 0}, {.min_p = 0, .top_k = 3, .top_p = 0.9f}),
            (std::set<TokenId>{1, 3}));
  EXPECT_TRUE(Kept(candidates, {-inf, -inf, -inf, -inf}, {.min_p = 0.1f, .top_k = 2, .top_p = 0.5f})
                  .empty());
}

TEST(Candidates, TheGivenRowIsLeftAlone) {
  const std::vector<float> logits = {1, 2, 3};
  Candidates candidates(3);
  candidates.Reset(logits);
  candidates.MutableLogits()[2] = -1;
  EXPECT_EQ(logits[2], 3);
  EXPECT_EQ(candidates.Max(), 2);
}

}  // namespace
}  // namespace baton::worker
