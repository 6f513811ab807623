#include "frontend/stream/stop_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace baton::frontend {
namespace {

struct Ended {
  std::string text;
  std::string matched;  // empty: none
  bool operator==(const Ended&) const = default;
};

Ended Feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces,
           StopText stop_text = StopText::kDrop) {
  StopMatcher matcher(stops, stop_text);
  Ended ended;
  for (const std::string& piece : pieces) {
    const StopMatcher::Output out = matcher.Push(piece, true);
    ended.text += out.text;
    if (out.matched != nullptr) {
      ended.matched = *out.matched;
      return ended;
    }
  }
  ended.text += matcher.Flush();
  return ended;
}

// What the definition says, without any cleverness: the first end of a stop string counts.
Ended Oracle(const std::vector<std::string>& stops, const std::string& text, StopText stop_text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    for (const std::string& stop : stops) {
      if (end < stop.size() || text.compare(end - stop.size(), stop.size(), stop) != 0) continue;
      const size_t cut = stop_text == StopText::kInclude ? end : end - stop.size();
      return {.text = text.substr(0, cut), .matched = stop};
    }
  }
  return {.text = text, .matched = ""};
}

std::vector<std::string> Split(const std::string& text, unsigned mask) {
  std::vector<std::string> pieces(1);
  for (size_t i = 0; i < text.size(); ++i) {
    pieces.back() += text[i];
    if ((mask >> i) & 1u) pieces.emplace_back();
  }
  return pieces;
}

TEST(StopMatcherTest, EveryChunkingGivesTheSameText) {
  const std::vector<std::vector<std::string>> stop_sets = {{"ab"},  {"aab", "b"},  {"abcabd"},
                                                           {"aaa"}, {"ba", "aba"}, {"zz"}};
  for (const auto& stops : stop_sets) {
    for (const std::string text : {"abcabcabd", "aaabaab", "bbaababa", "xaay"}) {
      for (const StopText kind : {StopText::kDrop, StopText::kInclude}) {
        const Ended expected = Oracle(stops, text, kind);
        for (unsigned mask = 0; mask < (1u << text.size()); ++mask) {
          ASSERT_EQ(Feed(stops, Split(text, mask), kind), expected) << text << " mask " << mask;
        }
      }
    }
  }
}

TEST(StopMatcherTest, RandomTextsAgreeWithTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto word = [&random](size_t length_max) {
      std::string text(1 + random() % length_max, 'a');
      for (char& c : text) c = static_cast<char>('a' + random() % 2);
      return text;
    };
    std::vector<std::string> stops;
    for (size_t i = 0; i < 1 + random() % 4; ++i) stops.push_back(word(5));
    const std::string text = word(20);
    ASSERT_EQ(Feed(stops, Split(text, static_cast<unsigned>(random()))),
              Oracle(stops, text, StopText::kDrop));
  }
}

TEST(StopMatcherTest, HoldsBackOnlyWhatCouldBecomeAStop) {
  const std::vector<std::string> stops = {"STOP"};
  StopMatcher matcher(stops, StopText::kDrop);
  EXPECT_EQ(matcher.Push("hello", true).text, "hello");
  EXPECT_EQ(matcher.Push(" ST", true).text, " ");
  EXPECT_EQ(matcher.Push("A", true).text, "STA");
  EXPECT_EQ(matcher.Push("STO", true).text, "");
  EXPECT_EQ(matcher.Flush(), "STO");
}

TEST(StopMatcherTest, FirstListedWinsAmongThoseThatEndTogether) {
  EXPECT_EQ(Feed({"c", "bc"}, {"abc"}), (Ended{.text = "ab", .matched = "c"}));
  EXPECT_EQ(Feed({"bc", "c"}, {"abc"}), (Ended{.text = "a", .matched = "bc"}));
}

TEST(StopMatcherTest, AStopBeforeTheMinimumLengthIsText) {
  const std::vector<std::string> stops = {"x"};
  StopMatcher matcher(stops, StopText::kDrop);
  EXPECT_EQ(matcher.Push("ax", false).matched, nullptr);
  EXPECT_EQ(*matcher.Push("bx", true).matched, "x");
}

}  // namespace
}  // namespace baton::frontend
