#include "frontend/stream/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TokenId kEnd = 9;

// Alternatives of one token, best first.
v1::TokenLogprobs Next(const std::vector<std::pair<TokenId, float>>& alternatives) {
  v1::TokenLogprobs next;
  next.set_top_count(static_cast<uint32_t>(alternatives.size()));
  for (const auto& [token, logprob] : alternatives) {
    next.add_top_ids(token);
    next.add_top(logprob);
  }
  return next;
}

std::vector<std::vector<TokenId>> IdsOf(const std::vector<FoundBeam>& beams) {
  std::vector<std::vector<TokenId>> ids;
  for (const FoundBeam& beam : beams) ids.push_back(beam.ids);
  return ids;
}

TEST(BeamSearch, FollowsTheLikeliestBeginnings) {
  BeamSearch search({.width = 2, .prompt_tokens = 3, .max_tokens = 2});
  ASSERT_EQ(search.live_count(), 1u);
  EXPECT_THAT(search.LiveIds(0), IsEmpty());
  search.Advance({Next({{1, -1.0f}, {2, -1.1f}, {3, -5.0f}, {4, -6.0f}})});
  ASSERT_EQ(search.live_count(), 2u);
  EXPECT_THAT(search.LiveIds(1), ElementsAre(2));
  // What begins worse overtakes.
  search.Advance({Next({{5, -2.0f}, {6, -2.5f}}), Next({{7, -0.1f}, {8, -0.2f}})});
  EXPECT_TRUE(search.over());
  const auto best = search.Best();
  EXPECT_THAT(IdsOf(best), ElementsAre(ElementsAre(2, 7), ElementsAre(2, 8)));
  EXPECT_FALSE(best[0].ended);
  EXPECT_NEAR(best[0].score, -1.2 / 5, 1e-6);
  EXPECT_THAT(best[1].logprobs.rank(), ElementsAre(2u, 2u));
  EXPECT_EQ(best[1].logprobs.sampled(1), -0.2f);
  EXPECT_EQ(best[1].logprobs.top_count(), 2u);
  EXPECT_EQ(best[1].logprobs.top_ids(4), 7u) << "the second token's alternatives";
}

TEST(BeamSearch, AnEndTakesNoPlaceAmongTheLive) {
  BeamSearch search({.width = 2, .prompt_tokens = 1, .max_tokens = 3, .end = kEnd});
  search.Advance({Next({{kEnd, -0.5f}, {1, -1.0f}, {2, -2.0f}, {3, -3.0f}})});
  EXPECT_EQ(search.live_count(), 2u);
  search.Advance({Next({{kEnd, -0.1f}, {4, -9.0f}}), Next({{5, -9.0f}, {6, -9.5f}})});
  search.Advance({Next({{4, -9.0f}}), Next({{5, -9.0f}})});
  const auto best = search.Best();
  // -0.5 / 1 against -1.1 / 2: the end does not count as length.
  EXPECT_THAT(IdsOf(best), ElementsAre(IsEmpty(), ElementsAre(1)));
  EXPECT_TRUE(best[0].ended);
  EXPECT_NEAR(best[1].score, -1.1 / 2, 1e-6);
}

TEST(BeamSearch, TheEndIsShownToWhoWantsIt) {
  BeamSearch search(
      {.width = 1, .prompt_tokens = 1, .max_tokens = 2, .end = kEnd, .keeps_end = true});
  search.Advance({Next({{1, -1.0f}, {2, -2.0f}})});
  search.Advance({Next({{kEnd, -0.1f}, {2, -5.0f}})});
  const auto best = search.Best();
  EXPECT_THAT(IdsOf(best), ElementsAre(ElementsAre(1, kEnd)));
  EXPECT_EQ(best[0].logprobs.sampled_size(), 2);
}

TEST(BeamSearch, KeepsNoLogprobsForNobody) {
  BeamSearch search({.width = 1,
                     .prompt_tokens = 1,
                     .max_tokens = 2,
                     .end = kEnd,
                     .keeps_end = true,
                     .keeps_logprobs = false});
  search.Advance({Next({{1, -1.0f}, {2, -2.0f}})});
  search.Advance({Next({{kEnd, -0.1f}, {2, -5.0f}})});
  EXPECT_TRUE(search.over());
  const auto best = search.Best();
  EXPECT_THAT(IdsOf(best), ElementsAre(ElementsAre(1, kEnd)));
  EXPECT_EQ(best[0].logprobs.sampled_size(), 0);
}

TEST(BeamSearch, ThePenaltyDecidesAboutLength) {
  const auto best_of = [](double penalty) {
    BeamSearch search(
        {.width = 2, .length_penalty = penalty, .prompt_tokens = 0, .max_tokens = 2, .end = kEnd});
    search.Advance({Next({{1, -0.1f}, {2, -9.0f}})});
    search.Advance({Next({{kEnd, -1.0f}, {3, -1.05f}}), Next({{4, -9.0f}})});
    return search.Best().front().ids.size();
  };
  EXPECT_EQ(best_of(0), 1u);
  EXPECT_EQ(best_of(1), 2u);
  EXPECT_EQ(best_of(-1), 1u);
  for (const double extreme : {1e300, -1e300}) EXPECT_GT(best_of(extreme), 0u);
}

TEST(BeamSearch, EqualsKeepTheirOrderAndWhatCannotBeIsNotFollowed) {
  BeamSearch search({.width = 3, .prompt_tokens = 1, .max_tokens = 1});
  search.Advance({Next({{4, -1.0f}, {3, -1.0f}, {2, -INFINITY}, {1, -INFINITY}})});
  EXPECT_THAT(IdsOf(search.Best()), ElementsAre(ElementsAre(4), ElementsAre(3)));
}

// As wide as there are sequences, it finds the best of them all.
TEST(BeamSearch, WideEnoughItIsExhaustive) {
  constexpr TokenId kVocab = 4;
  constexpr size_t kLength = 3;
  std::mt19937 random(7);
  std::uniform_real_distribution<float> any(0.05f, 1.0f);
  for (int round = 0; round < 20; ++round) {
    std::map<std::vector<TokenId>, std::vector<std::pair<TokenId, float>>> model;
    const auto next_of = [&](const std::vector<TokenId>& ids) {
      auto& next = model[ids];
      if (next.empty()) {
        for (TokenId token = 0; token < kVocab; ++token) {
          next.emplace_back(token, std::log(any(random)));
        }
        std::sort(next.begin(), next.end(),
                  [](const auto& a, const auto& b) { return a.second > b.second; });
      }
      return next;
    };
    BeamSearch search({.width = 64, .prompt_tokens = 2, .max_tokens = kLength, .end = TokenId{0}});
    std::vector<std::pair<double, std::vector<TokenId>>> all;
    std::vector<std::pair<double, std::vector<TokenId>>> open = {{0.0, {}}};
    for (size_t step = 0; step < kLength; ++step) {
      std::vector<v1::TokenLogprobs> next;
      for (size_t i = 0; i < search.live_count(); ++i) {
        next.push_back(Next(next_of(search.LiveIds(i))));
      }
      search.Advance(std::move(next));
      for (const auto& [logprob, ids] : std::exchange(open, {})) {
        for (const auto& [token, more] : next_of(ids)) {
          const double total = logprob + static_cast<double>(more);
          if (token == 0) {
            all.emplace_back(total / static_cast<double>(2 + ids.size()), ids);
          } else {
            open.emplace_back(total, ids);
            open.back().second.push_back(token);
          }
        }
      }
    }
    for (const auto& [logprob, ids] : open) {
      all.emplace_back(logprob / static_cast<double>(2 + ids.size()), ids);
    }
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto best = search.Best();
    ASSERT_EQ(best.size(), std::min<size_t>(64, all.size()));
    for (size_t i = 0; i < best.size(); ++i) {
      EXPECT_NEAR(best[i].score, all[i].first, 1e-9) << i;
      EXPECT_EQ(best[i].ids, all[i].second) << i;
    }
  }
}

}  // namespace
}  // namespace baton::frontend
