#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

using testing::HasSubstr;
using Spec = ConstraintSpec;

class GrammarTest : public testing::Test {
 protected:
  ConstraintRig rig_;
};

TEST_F(GrammarTest, RegexMatchesTheWholeOutput) {
  EXPECT_TRUE(rig_.Admits(Spec::Regex("[ab]+"), "abba"));
  EXPECT_FALSE(rig_.Admits(Spec::Regex("[ab]+"), "abc"));
  EXPECT_FALSE(rig_.Admits(Spec::Regex("[ab]+"), ""));
  EXPECT_TRUE(rig_.Admits(Spec::Regex("^\\d{3}$"), "123"));
  EXPECT_FALSE(rig_.Admits(Spec::Regex("^\\d{3}$"), "1234"));
  EXPECT_TRUE(rig_.Admits(Spec::Regex("a/b"), "a/b"));
}

TEST_F(GrammarTest, RegexErrorsSaySo) {
  EXPECT_THAT(rig_.Refusal(Spec::Regex("(")), HasSubstr("regex"));
  EXPECT_THAT(rig_.Refusal(Spec::Regex("")), HasSubstr("empty"));
  EXPECT_THAT(rig_.Refusal(Spec::Regex(std::string("a\0b", 3))), HasSubstr("NUL"));
  EXPECT_THAT(rig_.Refusal(Spec::Regex("(?=a)b")), HasSubstr("regex"));
}

TEST_F(GrammarTest, ChoiceIsOneOfThemAndNothingElse) {
  const Spec spec = Spec::Choice({"a", "ab", "abc\n\"\\", "\x7f\x01", "ü"});
  for (const std::string& choice : spec.choices) EXPECT_TRUE(rig_.Admits(spec, choice)) << choice;
  EXPECT_FALSE(rig_.Admits(spec, "abc"));
  EXPECT_FALSE(rig_.Admits(spec, ""));
  EXPECT_THAT(rig_.Refusal(Spec::Choice({})), HasSubstr("empty"));
}

TEST_F(GrammarTest, JsonObjectIsAnyObject) {
  EXPECT_TRUE(rig_.Admits(Spec::JsonObject(), R"({})"));
  EXPECT_TRUE(rig_.Admits(Spec::JsonObject(), R"({"a": [1, 2.5, {"b": null}], "c": "x"})"));
  EXPECT_TRUE(rig_.Admits(Spec::JsonObject(), "{\n  \"a\": 1\n}"));
  EXPECT_FALSE(rig_.Admits(Spec::JsonObject(), "[]"));
  EXPECT_FALSE(rig_.Admits(Spec::JsonObject(), R"({"a"})"));
}

TEST_F(GrammarTest, WhiteSpaceIsBounded) {
  EXPECT_FALSE(rig_.Admits(Spec::JsonObject(), "{\n\n\"a\":1}"));
  EXPECT_FALSE(rig_.Admits(Spec::JsonObject(), "{" + std::string(80, ' ') + "}"));
  Spec compact = Spec::JsonObject();
  compact.layout.compact = true;
  EXPECT_TRUE(rig_.Admits(compact, R"({"a":1,"b":[2]})"));
  EXPECT_FALSE(rig_.Admits(compact, R"({"a": 1})"));
  Spec tabs = Spec::JsonObject();
  tabs.layout.whitespace_pattern = "\\t";
  EXPECT_TRUE(rig_.Admits(tabs, "{\t\"a\":\t1}"));
  EXPECT_FALSE(rig_.Admits(tabs, "{ \"a\":1}"));
}

TEST_F(GrammarTest, LarkIsTakenAsItIs) {
  const Spec spec = Spec::Grammar("start: \"x\" num\nnum: /[0-9]+/\n");
  EXPECT_TRUE(rig_.Admits(spec, "x12"));
  EXPECT_FALSE(rig_.Admits(spec, "12"));
  EXPECT_THAT(rig_.Refusal(Spec::Grammar("start: nothing\n")), HasSubstr("grammar"));
  EXPECT_THAT(rig_.Refusal(Spec::Grammar("not a grammar")), HasSubstr("grammar"));
}

TEST_F(GrammarTest, SchemasInsideLarkAreChecked) {
  EXPECT_TRUE(rig_.Admits(Spec::Grammar("start: \"a\" %json {\"type\": \"integer\"}"), "a5"));
  EXPECT_THAT(rig_.Refusal(Spec::Grammar(
                  "start: %json {\"properties\": {\"k\": {\"contains\": {\"type\": \"null\"}}}}")),
              HasSubstr("#/properties/k/contains"));
  // The engine's own options are not the client's: lenient would let invalid output pass.
  EXPECT_THAT(rig_.Refusal(Spec::Grammar("start: %json {\"uniqueItems\": true, "
                                         "\"x-guidance\": {\"lenient\": true}}")),
              HasSubstr("#/uniqueItems"));
}

TEST_F(GrammarTest, AChoiceMayBeEmpty) {
  EXPECT_TRUE(rig_.Admits(Spec::Choice({"", "a"}), ""));
  EXPECT_TRUE(rig_.Admits(Spec::Choice({"", "a"}), "a"));
  EXPECT_FALSE(rig_.Admits(Spec::Choice({"", "a"}), "aa"));
  EXPECT_TRUE(rig_.Admits(Spec::Choice({""}), ""));
  EXPECT_FALSE(rig_.Admits(Spec::Choice({""}), "a"));
}

TEST_F(GrammarTest, BeginsBehindATextMarker) {
  Spec spec = Spec::JsonSchema(R"({"type": "integer"})");
  spec.start_after_text = "</think>";
  EXPECT_TRUE(rig_.Admits(spec, "let me see: 1 < 2\n</think>42"));
  EXPECT_FALSE(rig_.Admits(spec, "let me see</think>no"));
  EXPECT_FALSE(rig_.Admits(spec, "let me see"));
  Spec regex = Spec::Regex("a/b");
  regex.start_after_text = "=>";
  EXPECT_TRUE(rig_.Admits(regex, "x=>a/b"));
  Spec choice = Spec::Choice({"yes", "no"});
  choice.start_after_text = "=>";
  EXPECT_TRUE(rig_.Admits(choice, "=>no"));
  EXPECT_FALSE(rig_.Admits(choice, "=>maybe"));
}

TEST_F(GrammarTest, MasksNameTheEndOnlyWhereItMayCome) {
  const auto grammar = rig_.Compile(Spec::Choice({"a", "ab"}));
  ASSERT_TRUE(grammar.ok());
  const auto bit = [](absl::Span<const uint32_t> mask, TokenId token) {
    return (mask[token / 32] >> (token % 32) & 1) != 0;
  };
  EXPECT_TRUE(bit((*grammar)->first_mask(), 'a'));
  EXPECT_FALSE(bit((*grammar)->first_mask(), 'b'));
  EXPECT_FALSE(bit((*grammar)->first_mask(), kByteEos));
  Matcher matcher = (*grammar)->NewMatcher();
  std::vector<uint32_t> mask(rig_.vocabulary().mask_words());
  ASSERT_TRUE(matcher.Consume({'a'}).ok());
  ASSERT_TRUE(matcher.ComputeMask(absl::MakeSpan(mask)).ok());
  EXPECT_TRUE(bit(mask, 'b'));
  EXPECT_TRUE(bit(mask, kByteEos));
  EXPECT_FALSE(matcher.IsComplete());
  ASSERT_TRUE(matcher.Consume({'b'}).ok());
  EXPECT_TRUE(matcher.IsComplete());
  ASSERT_TRUE(matcher.ComputeMask(absl::MakeSpan(mask)).ok());
  for (TokenId token = 0; token < kByteVocab; ++token) {
    EXPECT_EQ(bit(mask, token), token == kByteEos) << token;
  }
}

TEST_F(GrammarTest, MatchersAreIndependentAndGoBack) {
  const auto grammar = rig_.Compile(Spec::Regex("ab*c"));
  ASSERT_TRUE(grammar.ok());
  Matcher one = (*grammar)->NewMatcher();
  ASSERT_TRUE(one.Consume({'a', 'b'}).ok());
  Matcher two = one.Clone();
  ASSERT_TRUE(one.Consume({'c'}).ok());
  EXPECT_TRUE(one.IsComplete());
  EXPECT_FALSE(two.IsComplete());
  ASSERT_TRUE(one.Rollback(2).ok());
  EXPECT_EQ(*one.CountFitting({'b', 'b', 'c', 'x'}), 3u);
  EXPECT_FALSE(two.Consume({'x'}).ok());
}

TEST_F(GrammarTest, SpecialTokensAreNoText) {
  const auto grammar = rig_.Compile(Spec::Regex("(?s:.*)"));
  ASSERT_TRUE(grammar.ok());
  const absl::Span<const uint32_t> mask = (*grammar)->first_mask();
  EXPECT_EQ(mask[kByteStart / 32] >> (kByteStart % 32) & 1, 0u);
  EXPECT_EQ(mask['x' / 32] >> ('x' % 32) & 1, 1u);
}

TEST_F(GrammarTest, SizesAreCapped) {
  EXPECT_THAT(rig_.Refusal(Spec::JsonSchema("{\"const\":\"" + std::string(70'000, 'x') + "\"}")),
              HasSubstr("at most"));
  EXPECT_THAT(rig_.Refusal(Spec::Regex(std::string(20'000, 'x'))), HasSubstr("at most"));
  std::string rules = "start: r0\n";
  for (int i = 0; i < 5000; ++i) {
    rules += "r" + std::to_string(i) + ": r" + std::to_string(i + 1) + "\n";
  }
  EXPECT_THAT(rig_.Refusal(Spec::Grammar(rules + "r5000: \"x\"\n")), HasSubstr("at most"));
}

TEST_F(GrammarTest, LongChainsOfReferencesAreCompiledOrRefused) {
  for (const int length : {100, 450, 600, 1000}) {
    std::string schema = R"({"$ref":"#/$defs/a0","$defs":{)";
    for (int i = 0; i < length; ++i) {
      schema +=
          "\"a" + std::to_string(i) + R"(":{"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
    }
    schema += "\"a" + std::to_string(length) + R"(":{"type":"null"}}})";
    const std::string refusal = rig_.Refusal(Spec::JsonSchema(schema));
    if (length >= 500) {
      EXPECT_THAT(refusal, HasSubstr("definitions")) << length;
    }
  }
}

TEST_F(GrammarTest, GreedyLexerStatesAreBounded) {
  const auto grammar = rig_.Compile(Spec::Regex("[ab]*a[ab]{30}"));
  ASSERT_TRUE(grammar.ok());
  Matcher matcher = (*grammar)->NewMatcher();
  std::vector<uint32_t> mask(rig_.vocabulary().mask_words());
  uint32_t bits = 12345;
  absl::Status status;
  for (int i = 0; i < 20'000 && status.ok(); ++i) {
    bits = bits * 1664525 + 1013904223;
    status = matcher.Consume({static_cast<TokenId>((bits >> 16 & 1) != 0 ? 'a' : 'b')});
    if (status.ok()) status = matcher.ComputeMask(absl::MakeSpan(mask));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

// Every text of up to four letters, against the standard library.
TEST_F(GrammarTest, AnchorsAtTheEndsSayNothing) {
  for (const char* expression :
       {"^ab$", "^(a|b)$", "^a$|^b$", "^a|b$", "(^a|b)c?$", "^(?:ab|(c$|a$))", "^[a^$]+$", "^a\\$",
        "(^a)?b", "^(a|ab)(c|$)"}) {
    const auto grammar = rig_.Compile(Spec::Regex(expression));
    ASSERT_TRUE(grammar.ok()) << expression << ": " << grammar.status();
    const std::regex oracle(expression);
    for (size_t number = 0; number < 5 * 5 * 5 * 5; ++number) {
      std::string text;
      for (size_t rest = number; rest > 0; rest /= 5) text += "_abc$"[rest % 5];
      if (text.find('_') != std::string::npos) continue;
      EXPECT_EQ(ConstraintRig::AdmitsText(**grammar, text), std::regex_match(text, oracle))
          << expression << " / " << text;
    }
  }
  for (const char* expression : {"a^b", "a$b", "(^a)*", "(^a)+b", "(a$)*", "(a$){2}"}) {
    EXPECT_NE(rig_.Refusal(Spec::Regex(expression)), "") << expression;
  }
}

}  // namespace
}  // namespace baton
