#include "frontend/stream/repetition.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace baton::frontend {
namespace {

bool Repeats(std::string_view text, RepetitionLimit limit) {
  return EndsInRepetition(std::vector<TokenId>(text.begin(), text.end()), limit);
}

TEST(RepetitionTest, CountsWholePatternsAtTheEnd) {
  const RepetitionLimit three = {.pattern_min = 1, .pattern_max = 4, .count_min = 3};
  EXPECT_TRUE(Repeats("aaa", three));
  EXPECT_TRUE(Repeats("xabcabcabc", three));
  EXPECT_TRUE(Repeats("abcabcabca", three)) << "bca, three times";
  EXPECT_FALSE(Repeats("abcabcabcd", three));
  EXPECT_FALSE(Repeats("abcdeabcdeabcde", three)) << "longer than a pattern may be";
  EXPECT_FALSE(Repeats("aa", three));
  EXPECT_FALSE(Repeats("", three));
}

TEST(RepetitionTest, ShortPatternsMayBeLeftOut) {
  EXPECT_FALSE(Repeats("aaa", {.pattern_min = 2, .pattern_max = 3, .count_min = 2}));
  EXPECT_TRUE(Repeats("aaaa", {.pattern_min = 2, .pattern_max = 3, .count_min = 2}));
  EXPECT_TRUE(Repeats("aa", {.pattern_min = 0, .pattern_max = 1, .count_min = 2}));
  EXPECT_FALSE(Repeats("aaaa", {})) << "off";
  EXPECT_FALSE(Repeats("aaaa", {.pattern_max = 9, .count_min = UINT32_MAX}));
}

}  // namespace
}  // namespace baton::frontend
