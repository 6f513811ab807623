#include "common/text/tokenizer/safe_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/text/tokenizer/bpe_model.h"
#include "common/text/tokenizer/byte_fallback.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

using Merge = MergeTable::Merge;

const std::vector<std::string> kUnits = {"a", "b", "c", ",", "\n", "▁", "▁", "é", "世", "\xFF"};

std::string RandomText(std::mt19937_64& random) {
  std::string text;
  for (uint64_t left = 1 + random() % 16; left > 0; --left)
    text += kUnits[random() % kUnits.size()];
  return text;
}

// A vocabulary of characters as sentencepiece makes them: some units are no tokens, and become
// bytes or unknown.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<Merge> merges;
  BpeOptions options;

  TokenId Add(const std::string& token) {
    const auto found = std::find(tokens.begin(), tokens.end(), token);
    if (found != tokens.end()) return static_cast<TokenId>(found - tokens.begin());
    tokens.push_back(token);
    return static_cast<TokenId>(tokens.size() - 1);
  }

  void Join(const std::string& left, const std::string& right) {
    merges.push_back({Add(left), Add(right), Add(left + right)});
  }

  TokenTable Table() const {
    TokenTable table;
    for (const std::string& token : tokens) table.Append(token);
    table.BuildIndex();
    return table;
  }

  SafeCuts Cuts() const { return SafeCuts(Table(), merges, options); }

  // What the definition says, of the text as one piece.
  std::vector<TokenId> ByDefinition(std::string_view text) const {
    std::vector<TokenId> symbols = Start(text);
    while (true) {
      size_t best = merges.size();
      size_t place = 0;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        // Of equal pairs the last one counts.
        for (size_t rank = merges.size(); rank-- > 0;) {
          if (merges[rank].left != symbols[i] || merges[rank].right != symbols[i + 1]) continue;
          if (rank < best) place = i;
          best = std::min(best, rank);
          break;
        }
      }
      if (best == merges.size()) return symbols;
      symbols[place] = merges[best].product;
      symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(place) + 1);
    }
  }

 private:
  TokenId Find(const std::string& token) const {
    const auto found = std::find(tokens.begin(), tokens.end(), token);
    return found == tokens.end() ? kNoToken : static_cast<TokenId>(found - tokens.begin());
  }

  std::vector<TokenId> BytesOf(std::string_view unit) const {
    std::vector<TokenId> ids;
    for (const char c : unit) ids.push_back(Find(TokenOfByte(static_cast<uint8_t>(c))));
    if (std::find(ids.begin(), ids.end(), kNoToken) != ids.end()) ids.clear();
    return ids;
  }

  std::vector<TokenId> Start(std::string_view text) const {
    std::vector<TokenId> symbols;
    bool pending = false;
    const auto flush = [&] {
      if (pending) symbols.push_back(*options.unk_id);
      pending = false;
    };
    for (size_t at = 0; at < text.size();) {
      const std::string unit(text.substr(at, DecodeChar(text.substr(at)).length));
      at += unit.size();
      if (const TokenId id = Find(unit); id != kNoToken) {
        flush();
        symbols.push_back(id);
        continue;
      }
      const std::vector<TokenId> bytes = BytesOf(unit);
      symbols.insert(symbols.end(), bytes.begin(), bytes.end());
      if (!bytes.empty() || !options.unk_id) continue;
      if (!options.fuse_unk) flush();
      pending = true;
    }
    flush();
    return symbols;
  }
};

Vocabulary RandomVocabulary(uint64_t seed) {
  std::mt19937_64 random(seed);
  Vocabulary result;
  result.options.unit = BpeOptions::Unit::kChar;
  if (random() % 4 != 0) result.options.unk_id = result.Add("<unk>");
  result.options.fuse_unk = random() % 2 == 0;
  result.options.byte_fallback = random() % 2 == 0;
  const bool all_bytes = random() % 2 == 0;
  for (int byte = 0; result.options.byte_fallback && byte < 256; ++byte) {
    if (all_bytes || random() % 8 != 0) result.Add(TokenOfByte(static_cast<uint8_t>(byte)));
  }
  // Byte tokens and the unknown one are parts of merges in some vocabularies only.
  const size_t first = random() % 8 == 0 ? 0 : result.tokens.size();
  for (const std::string& unit : kUnits) {
    if (unit != "\xFF" && random() % 4 != 0) result.Add(unit);
  }
  if (result.tokens.size() == first) result.Add("a");
  const uint64_t merges = random() % 24;
  while (result.merges.size() < merges) {
    const auto pick = [&] {
      return result.tokens[first + random() % (result.tokens.size() - first)];
    };
    const std::string left = pick();
    const std::string right = pick();
    // Few have the mark inside, as in real ones; most seeds none.
    const bool inside = !left.ends_with("▁") && right.starts_with("▁");
    if (inside && (seed % 4 != 0 || random() % 4 != 0)) {
      if (random() % 64 == 0) break;
      continue;
    }
    result.Join(left, right);
  }
  return result;
}

// The parts that both kinds of cuts make of a text.
std::vector<std::string_view> PartsOf(std::string_view text, const SafeCuts& cuts) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    std::string_view word = text.substr(0, cuts.WordEnd(text));
    text.remove_prefix(word.size());
    while (!word.empty()) {
      parts.push_back(word.substr(0, cuts.PartEnd(word)));
      word.remove_prefix(parts.back().size());
    }
  }
  return parts;
}

TEST(SafeCuts, PartsGiveTheTokensOfTheWhole) {
  size_t cut = 0;
  size_t whole = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Vocabulary vocabulary = RandomVocabulary(seed);
    const SafeCuts cuts = vocabulary.Cuts();
    const auto model = BpeModel::Make(vocabulary.Table(), vocabulary.merges,
                                      MergeTable::Order::kByMerge, vocabulary.options)
                           .value();
    std::mt19937_64 random(seed);
    for (int round = 0; round < 50; ++round) {
      const std::string text = RandomText(random);
      const std::vector<TokenId> expected = vocabulary.ByDefinition(text);
      std::vector<TokenId> joined;
      const std::vector<std::string_view> parts = PartsOf(text, cuts);
      for (const std::string_view part : parts) {
        const std::vector<TokenId> ids = vocabulary.ByDefinition(part);
        joined.insert(joined.end(), ids.begin(), ids.end());
      }
      ASSERT_EQ(joined, expected) << "seed " << seed << " " << text;
      PieceBuffer pieces;
      pieces.Reset(text);
      std::vector<TokenId> encoded;
      ASSERT_TRUE(model->Encode(pieces, encoded).ok());
      ASSERT_EQ(encoded, expected) << "seed " << seed << " " << text;
      cut += parts.size() - 1;
      whole += parts.size() == 1;
    }
  }
  EXPECT_GT(cut, 10'000u);
  EXPECT_GT(whole, 1'000u);
}

class SafeCutsOf : public testing::Test {
 protected:
  SafeCutsOf() {
    vocabulary_.options.unit = BpeOptions::Unit::kChar;
    for (const char* token : {"<unk>", "a", "b", ",", "▁"}) vocabulary_.Add(token);
    vocabulary_.options.unk_id = 0;
    vocabulary_.Join("▁", "▁");
    vocabulary_.Join("▁", "a");
    vocabulary_.Join("a", "b");
  }

  void AddByteTokens() {
    vocabulary_.options.byte_fallback = true;
    for (int byte = 0; byte < 256; ++byte) {
      vocabulary_.Add(TokenOfByte(static_cast<uint8_t>(byte)));
    }
  }

  std::vector<std::string_view> Parts(std::string_view text) const {
    return PartsOf(text, vocabulary_.Cuts());
  }

  using Expected = std::vector<std::string_view>;
  Vocabulary vocabulary_;
};

TEST_F(SafeCutsOf, WordsAndPartsOfThem) {
  EXPECT_EQ(Parts("▁▁ab▁ab,b"), (Expected{"▁▁ab", "▁ab", ",", "b"}));
  EXPECT_EQ(Parts("aé世b"), (Expected{"a", "é世", "b"})) << "two that are unknown, and may fuse";
}

TEST_F(SafeCutsOf, NothingIsUnknownWhereEveryByteHasAToken) {
  AddByteTokens();
  EXPECT_EQ(Parts("aé世b"), (Expected{"a", "é", "世", "b"}));
}

TEST_F(SafeCutsOf, UnitsThatVanishLetOthersMeet) {
  vocabulary_.options.unk_id.reset();
  EXPECT_EQ(Parts("▁é▁a,b"), Expected{"▁é▁a,b"});
}

TEST_F(SafeCutsOf, AMarkInsideATokenEndsNoWord) {
  vocabulary_.Join("b", "▁a");
  EXPECT_EQ(Parts("ab▁ab"), Expected{"ab▁ab"});
  EXPECT_EQ(Parts("ab,▁ab"), (Expected{"ab", ",", "▁ab"})) << "the comma still does";
}

TEST_F(SafeCutsOf, ATokenThatStandsForOthersMayNotMerge) {
  AddByteTokens();
  vocabulary_.Join("<0x0A>", "a");
  EXPECT_EQ(Parts("b\na"), Expected{"b\na"});
}

TEST_F(SafeCutsOf, AnUnknownTokenThatMerges) {
  vocabulary_.Join("<unk>", "a");
  EXPECT_EQ(Parts("bé,▁b"), Expected{"bé,▁b"});
}

TEST_F(SafeCutsOf, AffixesAndBytesAreNotCut) {
  vocabulary_.options.end_suffix = "</w>";
  EXPECT_EQ(Parts("b,▁b"), Expected{"b,▁b"});
  vocabulary_.options.end_suffix.clear();
  vocabulary_.options.unit = BpeOptions::Unit::kByte;
  EXPECT_EQ(Parts("b,▁b"), Expected{"b,▁b"});
}

}  // namespace
}  // namespace baton
