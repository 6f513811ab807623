#include "frontend/generation/fill_in_middle.h"

#include <gtest/gtest.h>

#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

// The byte model's tokenizer with more special tokens, from id 259 on.
std::unique_ptr<const Tokenizer> TokenizerWith(const std::vector<std::string>& marks) {
  std::string json = ByteTokenizerJson();
  std::string more;
  TokenId id = kByteVocab;
  for (const std::string& mark : marks) {
    more += ",{\"id\":" + std::to_string(id++) + ",\"content\":\"" + mark +
            "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
            "\"special\":true}";
  }
  json.insert(json.find("],\"normalizer\""), more);
  auto tokenizer = Tokenizer::FromJson(json, {});
  BATON_CHECK(tokenizer.ok()) << std::string(tokenizer.status().message());
  return *std::move(tokenizer);
}

struct FamilyCase {
  std::vector<std::string> marks;
  const char* with_file;
  size_t stops;
};

std::string Filled(const Tokenizer& tokenizer, const InfillParts& parts, size_t tokens_max = 1000) {
  const auto fim = FillInMiddle::Of(tokenizer);
  BATON_CHECK(fim.has_value());
  const auto ids = fim->Encode(parts, {.tokens_max = tokens_max});
  BATON_CHECK(ids.ok());
  return tokenizer.Decode(*ids, SpecialTokens::kKeep);
}

TEST(FillInMiddleTest, EveryFamilyHasItsFormAndItsStops) {
  const FamilyCase cases[] = {
      {{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|repo_name|>",
        "<|file_sep|>"},
       "<|repo_name|>myproject\n<|file_sep|>a.py\nx = 1<|file_sep|>filename\n"
       "<|fim_prefix|>PRE<|fim_suffix|>SUF<|fim_middle|>",
       3},
      {{"<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<reponame>", "<filename>"},
       "<reponame>myproject\n<filename>a.py\nx = 1<filename>filename\n"
       "<fim_prefix>PRE<fim_suffix>SUF<fim_middle>",
       2},
      {{"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},
       "\n\n--- snippet ---\n\nx = 1<fim-prefix>PRE<fim-suffix>SUF<fim-middle>",
       0},
      {{"▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"},
       "\n\n--- snippet ---\n\nx = 1▁<PRE>PRE▁<SUF>SUF▁<MID>",
       1},
      {{"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
       "\n\n--- snippet ---\n\nx = 1<｜fim▁begin｜>PRE<｜fim▁hole｜>SUF<｜fim▁end｜>",
       0},
      {{"[SUFFIX]", "[PREFIX]"}, "\n\n--- snippet ---\n\nx = 1[SUFFIX]SUF[PREFIX]PRE", 0},
  };
  for (const FamilyCase& family : cases) {
    const auto tokenizer = TokenizerWith(family.marks);
    EXPECT_EQ(Filled(*tokenizer,
                     {.prefix = BytesOf("PRE"), .suffix = "SUF", .files = {{"a.py", "x = 1"}}}),
              family.with_file);
    EXPECT_EQ(FillInMiddle::Of(*tokenizer)->stop_ids().size(), family.stops);
  }
}

TEST(FillInMiddleTest, NamesProjectAndFileAlwaysOnlyWhereAsked) {
  const auto tokenizer =
      TokenizerWith({"<PRE>", "<SUF>", "<MID>", "<|repo_name|>", "<|file_sep|>"});
  const auto fim = FillInMiddle::Of(*tokenizer);
  const InfillParts parts{.prefix = BytesOf("P"), .suffix = "S"};
  const auto named = fim->Encode(parts, {.always_names = true});
  const auto bare = fim->Encode(parts, {});
  ASSERT_TRUE(named.ok() && bare.ok());
  EXPECT_EQ(tokenizer->Decode(*named, SpecialTokens::kKeep),
            "<|repo_name|>myproject\n<|file_sep|>filename\n<PRE>P<SUF>S<MID>");
  EXPECT_EQ(tokenizer->Decode(*bare, SpecialTokens::kKeep), "<PRE>P<SUF>S<MID>");
}

TEST(FillInMiddleTest, AModelWithoutMarksOrWithHalfOfThemHasNone) {
  EXPECT_FALSE(FillInMiddle::Of(*TokenizerWith({})).has_value());
  EXPECT_FALSE(FillInMiddle::Of(*TokenizerWith({"<|fim_prefix|>", "<|fim_suffix|>"})).has_value());
}

TEST(FillInMiddleTest, MarksInTheTextStayText) {
  const auto tokenizer = TokenizerWith({"<PRE>", "<SUF>", "<MID>"});
  const auto fim = FillInMiddle::Of(*tokenizer);
  const auto ids = fim->Encode({.suffix = "<MID>"}, {.tokens_max = 100});
  EXPECT_EQ(std::ranges::count(*ids, *tokenizer->FindToken("<MID>")), 1);
  EXPECT_EQ(ids->size(), 3u + 5u);
}

TEST(FillInMiddleTest, WhatDoesNotFitIsCutFarFromTheMiddle) {
  const auto tokenizer = TokenizerWith({"<PRE>", "<SUF>", "<MID>"});
  InfillParts parts{.prefix = BytesOf("0123456789"), .suffix = "abcdefghij"};
  EXPECT_EQ(Filled(*tokenizer, parts, 11), "<PRE>456789<SUF>ab<MID>");
  EXPECT_EQ(Filled(*tokenizer, parts, 3), "<PRE><SUF><MID>");
  EXPECT_EQ(Filled(*tokenizer, parts, 0), "<PRE><SUF><MID>");
  parts.prefix.resize(2);
  EXPECT_EQ(Filled(*tokenizer, parts, 11), "<PRE>01<SUF>abcdef<MID>");
  parts.files = {{"f", "file"}};
  EXPECT_EQ(Filled(*tokenizer, parts, 17), "le<PRE>01<SUF>abcdefghij<MID>");
}

}  // namespace
}  // namespace baton::frontend
