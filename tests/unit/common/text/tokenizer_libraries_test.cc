// Files of other kinds, and rare parts of tokenizer.json, against the libraries that own them: see
// tests/golden/tokenizer/make_libraries.py.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/text/unicode/grapheme.h"
#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

using nlohmann::json;

constexpr const char* kFolder = BATON_SOURCE_DIR "/tests/golden/tokenizer/";

const json& Golden() {
  static const json golden =
      json::parse(ReadFileForTest(std::string(kFolder) + "libraries.json"), nullptr, false);
  return golden;
}

void ExpectCases(const Tokenizer& tokenizer, const json& cases, const EncodeOptions& options) {
  ASSERT_GT(cases.size(), 10u);
  for (const json& expected : cases) {
    const auto ids = expected["ids"].get<std::vector<TokenId>>();
    const auto encoded = tokenizer.Encode(expected["text"].get<std::string>(), options);
    ASSERT_TRUE(encoded.ok()) << encoded.status() << " " << expected["text"];
    EXPECT_EQ(*encoded, ids) << expected["text"];
    std::span<const TokenId> decoded = ids;
    // Nobody decodes the BOS that stands before them.
    if (options.add_special_tokens && !options.parse_special) decoded = decoded.subspan(1);
    EXPECT_EQ(tokenizer.Decode(decoded, SpecialTokens::kKeep), expected["decoded"])
        << expected["text"];
  }
}

void ExpectFile(const json& entry, const EncodeOptions& options) {
  const auto file = entry["file"].get<std::string>();
  SCOPED_TRACE(file);
  const auto tokenizer = LoadTokenizerForTest(kFolder + file);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ExpectCases(**tokenizer, entry["cases"], options);
}

TEST(TokenizerLibraries, SentencePiece) {
  ASSERT_EQ(Golden()["sentencepiece"].size(), 2u);
  for (const json& entry : Golden()["sentencepiece"]) {
    ExpectFile(entry, {.add_special_tokens = false});
  }
}

TEST(TokenizerLibraries, Tiktoken) { ExpectFile(Golden()["tiktoken"], {}); }

TEST(TokenizerLibraries, Tekken) { ExpectFile(Golden()["tekken"], {.parse_special = false}); }

TEST(TokenizerLibraries, HuggingFace) {
  ASSERT_GT(Golden()["hugging_face"].size(), 9u);
  for (const json& entry : Golden()["hugging_face"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto tokenizer = Tokenizer::FromJson(entry["tokenizer"].dump(), {});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    ExpectCases(**tokenizer, entry["cases"], {});
  }
}

TEST(Graphemes, AgreeWithRegex) {
  ASSERT_GT(Golden()["graphemes"].size(), 400u);
  for (const json& expected : Golden()["graphemes"]) {
    const auto text = expected[0].get<std::string>();
    std::vector<size_t> lengths;
    for (size_t at = 0; at < text.size(); at += lengths.back()) {
      lengths.push_back(GraphemeLength(std::string_view(text).substr(at)));
    }
    EXPECT_EQ(lengths, expected[1].get<std::vector<size_t>>()) << expected[0];
  }
}

}  // namespace
}  // namespace baton
