// What loaders accept, what they say of what they refuse, and the roles of tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "common/gguf/gguf_file.h"
#include "common/text/tokenizer/incremental_detokenizer.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_config.h"
#include "tests/unit/common/gguf/gguf_builder.h"

namespace baton {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json Sample() {
  return json::parse(R"json({
    "version": "1.0",
    "added_tokens": [
      {"id": 4, "content": "<s>", "special": true, "normalized": false},
      {"id": 5, "content": "</s>", "special": true, "normalized": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}}],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3}, "merges": ["a b"]}
  })json");
}

// The error that follows from setting what `path` points at to `value`.
std::string ErrorWith(const std::string& path, const json& value) {
  json document = Sample();
  document[json::json_pointer(path)] = value;
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  return tokenizer.ok() ? "accepted" : tokenizer.status().ToString();
}

TEST(TokenizerJson, LoadsAndFramesText) {
  TokenizerConfig config;
  config.bos_token = "<s>";
  config.eos_token = "</s>";
  const auto tokenizer = Tokenizer::FromJson(Sample().dump(), config);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Tokenizer& t = **tokenizer;
  EXPECT_THAT(t.Encode("ab a</s>", {}).value(), ElementsAre(4, 2, 3, 0, 5));
  EXPECT_THAT(t.Encode("ab", {.add_special_tokens = false}).value(), ElementsAre(2));
  EXPECT_EQ(t.vocab_size(), 6u);
  EXPECT_EQ(t.bos_id(), 4u);
  EXPECT_EQ(t.eos_id(), 5u);
  EXPECT_EQ(t.pad_id(), std::nullopt);
  EXPECT_THAT(t.stop_ids(), ElementsAre(5));
  EXPECT_TRUE(t.IsSpecial(4));
  EXPECT_FALSE(t.IsSpecial(2));
  EXPECT_FALSE(t.IsSpecial(1000));
  EXPECT_EQ(t.TokenBytes(3), " ");
  EXPECT_EQ(t.TokenText(3), "\u0120");
  EXPECT_EQ(t.TokenBytes(1000), "");
  EXPECT_EQ(t.FindToken("ab"), 2u);
  EXPECT_EQ(t.FindToken("zz"), std::nullopt);
  const std::vector<TokenId> ids = {4, 2, 1000, 3, 5};
  EXPECT_EQ(t.Decode(ids, SpecialTokens::kKeep), "<s>ab </s>");
  EXPECT_EQ(t.Decode(ids, SpecialTokens::kSkip), "ab ");
}

TEST(TokenizerJson, NamesWhatItDoesNotKnow) {
  EXPECT_THAT(ErrorWith("/pre_tokenizer", {{"type", "Foo"}}),
              HasSubstr("tokenizer.json.pre_tokenizer: unknown type Foo, known: BertPreTokenizer"));
  EXPECT_THAT(ErrorWith("/normalizer", {{"type", "Sequence"},
                                        {"normalizers", {{{"type", "NFC"}}, {{"type", "Foo"}}}}}),
              HasSubstr("tokenizer.json.normalizer.normalizers[1]: unknown type Foo"));
  EXPECT_THAT(ErrorWith("/decoder", {{"type", "Foo"}}), HasSubstr("unknown type Foo"));
  EXPECT_THAT(ErrorWith("/post_processor", {{"type", "Foo"}}),
              HasSubstr("post_processor: unknown type Foo"));
  EXPECT_THAT(ErrorWith("/model/type", "Foo"),
              HasSubstr("unknown type Foo, known: BPE, Unigram, WordLevel, WordPiece"));
  EXPECT_THAT(
      ErrorWith("/pre_tokenizer",
                {{"type", "Split"}, {"pattern", {{"Regex", "(?=x"}}}, {"behavior", "Isolated"}}),
      HasSubstr("tokenizer.json.pre_tokenizer.pattern: expression (?=x does not compile"));
}

TEST(TokenizerJson, MissingUnknownTokenFailsOnTheFirstUnknownCharacter) {
  json document = Sample();
  document["model"]["unk_token"] = "<none>";
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT((*tokenizer)->Encode("ab", {}).value(), ElementsAre(4, 2));
  EXPECT_THAT((*tokenizer)->Encode("abc", {}).status().ToString(), HasSubstr("unk_token"));
}

TEST(TokenizerJson, RefusesMalformedFiles) {
  EXPECT_THAT(Tokenizer::FromJson("{\"model\":", {}).status().ToString(),
              HasSubstr("not a JSON object"));
  EXPECT_THAT(Tokenizer::FromJson("[]", {}).status().ToString(), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorWith("/model", 7), HasSubstr("tokenizer.json.model: missing or not an object"));
  EXPECT_THAT(ErrorWith("/model/vocab", {"a"}), HasSubstr("model.vocab is not an object"));
  EXPECT_THAT(ErrorWith("/model/vocab/a", -1), HasSubstr("model.vocab[\"a\"]"));
  EXPECT_THAT(ErrorWith("/model/vocab/a", 1u << 30), HasSubstr("model.vocab[\"a\"]"));
  EXPECT_THAT(ErrorWith("/model/vocab/a", 1), HasSubstr("two tokens with id 1"));
  EXPECT_THAT(ErrorWith("/model/merges", {"a  b"}), HasSubstr("model.merges[0] is not a pair"));
  EXPECT_THAT(ErrorWith("/model/merges", json::parse(R"([["a", "zz"]])")),
              HasSubstr("outside the vocabulary"));
  EXPECT_THAT(ErrorWith("/model/unk_token", 5), HasSubstr("unk_token"));
  EXPECT_THAT(ErrorWith("/added_tokens/0/id", int64_t{1} << 40), HasSubstr("id out of range"));
  EXPECT_THAT(ErrorWith("/model/vocab/ab", 4), HasSubstr("id 4 clashes with the vocabulary"));
  EXPECT_THAT(ErrorWith("/added_tokens/1", "x"), HasSubstr("added_tokens[1]: not an object"));
  EXPECT_THAT(ErrorWith("/pre_tokenizer/use_regex", "yes"),
              HasSubstr("pre_tokenizer.use_regex: missing or not a boolean"));
  EXPECT_THAT(ErrorWith("/post_processor/special_tokens", json::object()),
              HasSubstr("post_processor.special_tokens.<s>"));
  EXPECT_THAT(ErrorWith("/post_processor/special_tokens/<s>/ids", {7}),
              HasSubstr("post_processor: token id 7, expected below 6"));
  TokenizerConfig config;
  config.eos_token = "</end>";
  EXPECT_THAT(Tokenizer::FromJson(Sample().dump(), config).status().ToString(),
              HasSubstr("eos_token \"</end>\" is outside the vocabulary"));
}

// What Hugging Face's tokenizers answer about the same file, with a warning.
TEST(TokenizerJson, NumbersAddedTokensItself) {
  json document = Sample();
  document["post_processor"] = nullptr;
  document["added_tokens"] = json::parse(R"json([
    {"id": 90, "content": "<x>"}, {"id": 3, "content": "ab"}, {"id": 91, "content": "<y>", "special": true},
    {"id": 92, "content": "<z>"}, {"id": 93, "content": "<y>", "lstrip": true}])json");
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT((*tokenizer)->Encode("a<z>b <y>ab<x>", {}).value(), ElementsAre(0, 6, 1, 5, 2, 4));
  EXPECT_TRUE((*tokenizer)->IsSpecial(5)) << "as it was once";
  EXPECT_EQ((*tokenizer)->vocab_size(), 7u);
}

// The reference compares what normalization makes of a token with what special tokens are written
// as.
TEST(TokenizerJson, SkipsWhatIsSpelledAsASpecialToken) {
  json document = Sample();
  document["normalizer"] = {{"type", "Lowercase"}};
  document["added_tokens"] = json::parse(R"json([
    {"id": 4, "content": "<s>", "special": true, "normalized": false},
    {"id": 5, "content": "<S>", "special": false, "normalized": true},
    {"id": 6, "content": "<T>", "special": true, "normalized": true}])json");
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const std::vector<TokenId> ids = {4, 5, 6};
  EXPECT_EQ((*tokenizer)->Decode(ids, SpecialTokens::kKeep), "<s><s><t>");
  EXPECT_EQ((*tokenizer)->Decode(ids, SpecialTokens::kSkip), "<t>");
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> WithConfig(const json& config) {
  const auto parsed = ParseTokenizerConfig(config.dump());
  if (!parsed.ok()) return parsed.status();
  return Tokenizer::FromJson(Sample().dump(), *parsed);
}

// As transformers reads both files.
TEST(TokenizerJson, TheConfigHasTheLastWordOnAddedTokens) {
  const auto stripped =
      WithConfig({{"added_tokens_decoder",
                   {{"5", {{"content", "</s>"}, {"lstrip", true}, {"special", true}}},
                    {"6", {{"content", "<n>"}, {"special", false}}}}}});
  ASSERT_TRUE(stripped.ok()) << stripped.status();
  EXPECT_THAT((*stripped)->Encode("a  </s><n>", {}).value(), ElementsAre(4, 0, 5, 6));

  const auto roles =
      WithConfig({{"eos_token", "ab"},
                  {"image_token", {{"__type", "AddedToken"}, {"content", "b"}, {"lstrip", true}}},
                  {"pad_token", "<pad>"},
                  {"additional_special_tokens", {"a", "<none>"}}});
  ASSERT_TRUE(roles.ok()) << roles.status();
  EXPECT_THAT((*roles)->Encode("a bab", {}).value(), ElementsAre(4, 0, 1, 2));
  for (const TokenId id : {0u, 1u, 2u}) EXPECT_TRUE((*roles)->IsSpecial(id)) << id;
  EXPECT_EQ((*roles)->vocab_size(), 6u) << "no token without an id in any file";

  EXPECT_THAT(WithConfig({{"extra_special_tokens", {1}}}).status().ToString(),
              HasSubstr("extra_special_tokens has an unexpected type"));
}

TEST(TokenizerJson, BoundsWhatGrows) {
  EXPECT_THAT(ErrorWith("/added_tokens/1/content", std::string(4097, 'x')),
              HasSubstr("added token 5 has 4097 bytes, expected up to 4096"));
  EXPECT_THAT(ErrorWith("/model/vocab/" + std::string(4097, 'x'), 6),
              HasSubstr("token 6 has 4097 bytes"));
  // Each doubles the text, forty times.
  const json doubling = {{"type", "Replace"}, {"pattern", {{"Regex", "."}}}, {"content", "aa"}};
  json document = Sample();
  document["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array()}};
  document["decoder"] = {{"type", "Sequence"}, {"decoders", json::array()}};
  for (int i = 0; i < 40; ++i) {
    document["normalizer"]["normalizers"].push_back(doubling);
    document["decoder"]["decoders"].push_back(doubling);
  }
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_THAT((*tokenizer)->Encode("ab", {}).status().ToString(), HasSubstr("too long"));
  EXPECT_LT((*tokenizer)->Decode(std::vector<TokenId>{0, 1}, SpecialTokens::kKeep).size(),
            200'000u);
  // One that makes much of little.
  document["normalizer"] = {
      {"type", "Replace"}, {"pattern", {{"Regex", "."}}}, {"content", std::string(2000, 'a')}};
  const auto other = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_THAT((*other)->Encode(std::string(1000, 'a'), {}).status().ToString(),
              HasSubstr("Replace makes 1000 bytes more than 1112576"));
}

TEST(TokenizerJson, BoundsTheNestingOfSequences) {
  json nested = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  for (int depth = 0; depth < 1000; ++depth) {
    json outer = {{"type", "Sequence"}};
    outer["pretokenizers"].push_back(std::move(nested));
    nested = std::move(outer);
  }
  EXPECT_THAT(ErrorWith("/pre_tokenizer", nested), HasSubstr("nested too deeply"));
}

TEST(TokenizerConfig, ReadsTokensAndTemplates) {
  const auto config = ParseTokenizerConfig(R"json({
    "bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "pad_token": null,
    "chat_template": [{"name": "default", "template": "A"}, {"name": "tool_use", "template": "B"}],
    "whatever": [1]})json");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->bos_token, "<s>");
  EXPECT_EQ(config->eos_token, "</s>");
  EXPECT_EQ(config->pad_token, std::nullopt);
  EXPECT_EQ(config->chat_templates.at("tool_use"), "B");
  EXPECT_EQ(ParseTokenizerConfig(R"({"chat_template": "T"})")->chat_templates.at("default"), "T");
  EXPECT_THAT(ParseTokenizerConfig("nonsense").status().ToString(), HasSubstr("not a JSON object"));
  EXPECT_THAT(ParseTokenizerConfig(R"({"bos_token": 1})").status().ToString(),
              HasSubstr("bos_token"));
  EXPECT_THAT(ParseTokenizerConfig(R"({"chat_template": [{}]})").status().ToString(),
              HasSubstr("chat_template"));
}

GgufBuilder SampleGguf(const std::string& pre, const std::string& user_defined = "<u>") {
  GgufBuilder builder;
  std::string types = GgufBuilder::Raw<uint32_t>(5) + GgufBuilder::Raw<uint64_t>(5);
  for (const int32_t type : {1, 1, 1, 3, 4}) types += GgufBuilder::Raw(type);
  builder.Key("tokenizer.ggml.model", 8, GgufBuilder::Str("gpt2"))
      .Key("tokenizer.ggml.pre", 8, GgufBuilder::Str(pre))
      .Key("tokenizer.ggml.tokens", 9,
           GgufBuilder::StringArray({"a", "b", "ab", "<s>", user_defined}))
      .Key("tokenizer.ggml.token_type", 9, types)
      .Key("tokenizer.ggml.merges", 9, GgufBuilder::StringArray({"a b"}))
      .Key("tokenizer.ggml.bos_token_id", 4, GgufBuilder::Raw<uint32_t>(3))
      .Key("tokenizer.ggml.eos_token_id", 4, GgufBuilder::Raw<uint32_t>(3))
      .Key("tokenizer.ggml.eot_token_id", 4, GgufBuilder::Raw<uint32_t>(4))
      .Key("tokenizer.ggml.padding_token_id", 4, GgufBuilder::Raw<uint32_t>(0xFFFFFFFF));
  return builder;
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> FromGguf(const GgufBuilder& builder) {
  const auto file = GgufFile::Parse(builder.Build(), "m.gguf");
  EXPECT_TRUE(file.ok()) << file.status();
  return Tokenizer::FromGguf(file->metadata());
}

TEST(GgufTokenizer, LoadsRolesAndFrame) {
  const auto plain = FromGguf(SampleGguf("gpt-2"));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT((*plain)->Encode("ab<s><u>", {}).value(), ElementsAre(2, 3, 4));
  EXPECT_EQ((*plain)->bos_id(), 3u);
  EXPECT_EQ((*plain)->pad_id(), std::nullopt);  // out of range: absent
  EXPECT_THAT((*plain)->stop_ids(), ElementsAre(3, 4));
  EXPECT_TRUE((*plain)->IsSpecial(3));
  EXPECT_FALSE((*plain)->IsSpecial(4));  // user-defined: found in text, but text itself

  // Llama 3 adds BOS unless the file says otherwise.
  EXPECT_THAT((*FromGguf(SampleGguf("llama-bpe")))->Encode("ab", {}).value(), ElementsAre(3, 2));
  GgufBuilder without = SampleGguf("llama-bpe");
  without.Key("tokenizer.ggml.add_bos_token", 7, GgufBuilder::Raw<uint8_t>(0))
      .Key("tokenizer.ggml.add_eos_token", 7, GgufBuilder::Raw<uint8_t>(1));
  EXPECT_THAT((*FromGguf(without))->Encode("ab", {}).value(), ElementsAre(2, 3));
}

// As llama.cpp overrides the type that a file gives them.
TEST(GgufTokenizer, WhatEndsATurnIsSpecial) {
  const auto tokenizer = FromGguf(SampleGguf("gpt-2", "<|end|>"));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_TRUE((*tokenizer)->IsSpecial(4));
}

// llama.cpp's rule, by the name of the model: the file does not say.
TEST(GgufTokenizer, MarkupOfPhi3TakesTheBlanksBehindItAlong) {
  GgufBuilder phi = SampleGguf("gpt-2");
  phi.Key("general.name", 8, GgufBuilder::Str("My Phi-3 mini"));
  EXPECT_THAT((*FromGguf(phi))->Encode("<u>\n ab<s>\nab", {.add_special_tokens = false}).value(),
              ElementsAre(4, 2, 3, 2))
      << "but not of <s>";
  GgufBuilder other = SampleGguf("gpt-2");
  other.Key("general.name", 8, GgufBuilder::Str("Llama"));
  EXPECT_THAT((*FromGguf(other))->Encode("<u>ab", {.add_special_tokens = false}).value(),
              ElementsAre(4, 2));
}

TEST(GgufTokenizer, NamesWhatItDoesNotKnow) {
  EXPECT_THAT(FromGguf(SampleGguf("nonsense")).status().ToString(),
              HasSubstr("file=m.gguf tokenizer.ggml.pre=nonsense, known: gpt-2"));
  EXPECT_THAT(FromGguf(GgufBuilder()).status().ToString(), HasSubstr("key=tokenizer.ggml.model"));
  GgufBuilder other;
  other.Key("tokenizer.ggml.model", 8, GgufBuilder::Str("rwkv"));
  EXPECT_THAT(FromGguf(other).status().ToString(),
              HasSubstr("tokenizer.ggml.model=rwkv, known: bert gpt2 llama t5"));
}

TEST(IncrementalDetokenizer, HoldsUnfinishedCharacters) {
  json document = Sample();
  document["model"]["vocab"] = {{"\u00E2", 0}, {"\u0124", 1}, {"\u00AC", 2}, {"a", 3}};
  document["model"]["merges"] = json::array();
  const auto tokenizer = Tokenizer::FromJson(document.dump(), {});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  IncrementalDetokenizer detokenizer(**tokenizer, SpecialTokens::kSkip);
  std::string out;
  detokenizer.Push(0, out);  // E2
  EXPECT_EQ(out, "");
  EXPECT_TRUE(detokenizer.pending());
  detokenizer.Push(4, out);  // a special token, skipped, does not break the character
  IncrementalDetokenizer copy = detokenizer;
  detokenizer.Push(std::vector<TokenId>{1, 2}, out);  // 82 AC
  EXPECT_EQ(out, "\u20AC");
  detokenizer.Push(0, out);
  detokenizer.Push(3, out);
  EXPECT_EQ(out, "\u20AC\uFFFDa");
  detokenizer.Finish(out);
  EXPECT_EQ(out, "\u20AC\uFFFDa");
  std::string of_copy;
  copy.Finish(of_copy);
  EXPECT_EQ(of_copy, "\uFFFD");
}

}  // namespace
}  // namespace baton
