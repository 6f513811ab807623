#include "common/text/tokenizer/bpe_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <thread>

namespace baton {
namespace {

using Merge = MergeTable::Merge;
constexpr auto kByMerge = MergeTable::Order::kByMerge;

// A vocabulary grown by random merges over the bytes 'a' to 'd', with a byte-pair encoder that does
// nothing but what the definition says.
class RandomBpe {
 public:
  explicit RandomBpe(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const char c : {'a', 'b', 'c', 'd'}) tokens_.emplace_back(1, c);
    while (tokens_.size() < 60) {
      const auto left = static_cast<TokenId>(random() % tokens_.size());
      const auto right = static_cast<TokenId>(random() % tokens_.size());
      const std::string product = tokens_[left] + tokens_[right];
      if (product.size() > 24 || ranks_.contains({left, right})) continue;
      // Several pairs may make one token, as in the vocabularies of Llama 3.
      auto found = std::find(tokens_.begin(), tokens_.end(), product);
      const auto id = static_cast<TokenId>(found - tokens_.begin());
      if (found == tokens_.end()) tokens_.push_back(product);
      ranks_.emplace(std::pair(left, right), merges_.size());
      merges_.push_back({left, right, id});
    }
  }

  // `all_bytes`: every byte is a token, as in byte-level vocabularies.
  std::unique_ptr<const BpeModel> Model(const BpeOptions& options, bool all_bytes = false) const {
    TokenTable table;
    for (const std::string& token : tokens_) table.Append(token);
    for (int byte = 0; all_bytes && byte < 256; ++byte) {
      if (byte < 'a' || byte > 'd') table.Append(std::string(1, static_cast<char>(byte)));
    }
    table.BuildIndex();
    return BpeModel::Make(std::move(table), merges_, kByMerge, options).value();
  }

  std::vector<TokenId> ByDefinition(std::string_view text) const {
    std::vector<TokenId> symbols;
    for (const char c : text) symbols.push_back(static_cast<TokenId>(c - 'a'));
    while (true) {
      size_t best_rank = merges_.size();
      size_t best = 0;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        const auto it = ranks_.find({symbols[i], symbols[i + 1]});
        if (it == ranks_.end() || it->second >= best_rank) continue;
        best_rank = it->second;
        best = i;
      }
      if (best_rank == merges_.size()) return symbols;
      symbols[best] = merges_[best_rank].product;
      symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
    }
  }

  static std::string RandomText(std::mt19937_64& random, size_t length_max) {
    std::string text;
    for (uint64_t left = 1 + random() % length_max; left > 0; --left) {
      text += static_cast<char>('a' + random() % 4);
    }
    return text;
  }

 private:
  std::vector<std::string> tokens_;
  std::vector<Merge> merges_;
  std::map<std::pair<TokenId, TokenId>, size_t> ranks_;
};

std::vector<TokenId> Encode(const BpeModel& model, std::string_view text) {
  PieceBuffer pieces;
  pieces.Reset(text);
  std::vector<TokenId> ids;
  EXPECT_TRUE(model.Encode(pieces, ids).ok());
  return ids;
}

TEST(BpeModel, MergesAsTheDefinitionSays) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RandomBpe bpe(seed);
    const std::unique_ptr<const BpeModel> model = bpe.Model({}, seed % 2 == 0);
    std::mt19937_64 random(seed + 1000);
    for (int round = 0; round < 60; ++round) {
      // Short pieces, and some that are long enough for the heap.
      const std::string text = RandomBpe::RandomText(random, round % 6 == 0 ? 400 : 24);
      ASSERT_EQ(Encode(*model, text), bpe.ByDefinition(text)) << "seed " << seed << " " << text;
      ASSERT_EQ(Encode(*model, text), bpe.ByDefinition(text)) << "with the memo, " << text;
    }
  }
}

TEST(BpeModel, IgnoreMergesTakesWholePieces) {
  TokenTable table;
  for (const std::string_view token : {"a", "b", "ab", "aab"}) table.Append(token);
  table.BuildIndex();
  const std::vector<Merge> merges = {{0, 1, 2}};
  EXPECT_THAT(Encode(*BpeModel::Make(table, merges, kByMerge, {}).value(), "aab"),
              testing::ElementsAre(0, 2));
  BpeOptions ignoring;
  ignoring.ignore_merges = true;
  EXPECT_THAT(Encode(*BpeModel::Make(table, merges, kByMerge, ignoring).value(), "aab"),
              testing::ElementsAre(3));
}

TEST(BpeModel, LongPiecesTakeNoQuadraticTime) {
  TokenTable table;
  for (const std::string_view token : {"a", "aa", "aaaa"}) table.Append(token);
  table.BuildIndex();
  const std::vector<Merge> merges = {{0, 0, 1}, {1, 1, 2}};
  const auto model = BpeModel::Make(std::move(table), merges, kByMerge, {}).value();
  const std::vector<TokenId> ids = Encode(*model, std::string(4'000'002, 'a'));
  ASSERT_EQ(ids.size(), 1'000'001u);
  EXPECT_EQ(ids.front(), 2u);
  EXPECT_EQ(ids.back(), 1u);
}

TEST(BpeModel, RefusesVocabulariesBeyondItsSlots) {
  TokenTable table;
  for (uint32_t i = 0; i <= MergeTable::kIdCountMax; ++i) table.Append("x");
  EXPECT_EQ(BpeModel::Make(std::move(table), {}, kByMerge, {}).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(BpeModel, ManyThreadsShareTheMemo) {
  const RandomBpe bpe(7);
  const std::unique_ptr<const BpeModel> model = bpe.Model({});
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (int round = 0; round < 300; ++round) {
        const std::string text = RandomBpe::RandomText(random, 12);
        EXPECT_EQ(Encode(*model, text), bpe.ByDefinition(text));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TokenTable, FindsEveryLengthAndNothingElse) {
  TokenTable table;
  std::vector<std::string> texts;
  std::mt19937_64 random(3);
  for (size_t i = 0; i < 5000; ++i) {
    std::string text = std::to_string(i) + ":";
    while (text.size() < i % 40) text += static_cast<char>(random());
    texts.push_back(text);
    table.Append(text);
  }
  table.Append("");  // a hole
  table.BuildIndex();
  for (TokenId id = 0; id < texts.size(); ++id) {
    EXPECT_EQ(table.Find(texts[id]), id);
    EXPECT_EQ(table[id], texts[id]);
    EXPECT_EQ(table.Find(texts[id] + "?"), kNoToken);
  }
  EXPECT_EQ(table.Find(""), kNoToken);
  EXPECT_EQ(table[static_cast<TokenId>(table.size())], "");
  EXPECT_EQ(TokenTable().Find("x"), kNoToken);
}

}  // namespace
}  // namespace baton
