#include "common/text/tokenizer/word_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baton {
namespace {

std::vector<TokenId> Found(const WordCache& cache, std::string_view word) {
  const std::span<const TokenId> ids = cache.Find(word);
  return {ids.begin(), ids.end()};
}

TEST(WordCache, FindsWhatWasPutInAndNothingElse) {
  WordCache cache(100'000);
  size_t kept = 0;
  for (uint32_t i = 0; i < 5000; ++i) {
    const std::string word = "word" + std::to_string(i);
    const std::vector<TokenId> ids(1 + i % 9, i);
    EXPECT_TRUE(cache.Find(word).empty());
    cache.Insert(word, ids);
    EXPECT_EQ(Found(cache, word), ids);
  }
  for (uint32_t i = 0; i < 5000; ++i) {
    const std::vector<TokenId> ids = Found(cache, "word" + std::to_string(i));
    if (ids.empty()) continue;  // driven out
    ++kept;
    EXPECT_EQ(ids, std::vector<TokenId>(1 + i % 9, i));
  }
  EXPECT_GT(kept, 1000u);
}

TEST(WordCache, LeavesOutWhatHasNoRoom) {
  WordCache cache(100'000);
  const std::string long_word(40, 'x');
  cache.Insert(long_word, std::vector<TokenId>{1});
  EXPECT_TRUE(cache.Find(long_word).empty());
  cache.Insert("x", std::vector<TokenId>(10, 1));
  EXPECT_TRUE(cache.Find("x").empty());
}

TEST(WordCache, ShortTextsHaveNone) {
  WordCache cache(100);
  cache.Insert("x", std::vector<TokenId>{1});
  EXPECT_TRUE(cache.Find("x").empty());
}

}  // namespace
}  // namespace baton
