#include "common/constraint/gbnf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/constraint/gbnf_lark.h"
#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  const char* grammar;
  std::vector<std::string> admitted;
  std::vector<std::string> rejected;
};

// The constructs of llama.cpp's own grammars, and where lexers and grammars disagree.
const Case kCases[] = {
    {"literals",
     R"(root ::= "yes" | "no" | "a\"b\\c\n\x41\u00fc\U0001F600")",
     {"yes", "no", "a\"b\\c\nAü😀"},
     {"", "ye", "yesno", "a"}},
    {"classes",
     "root ::= [a-c] [^a-c\\]] [-x] [\\u4e00-\\u9fff] [x-]",
     {"ad-中x", "b\nx字-"},
     {"dd-中x", "aa-中x", "ad-ax", "ad-中y"}},
    {"any", "root ::= . \"!\" .*", {"a!", "ü!xyz", "\n!"}, {"!", "a", "ab!"}},
    {"repetition",
     R"(root ::= "a"{2} "b"{1,} "c"{0,2} "d"{0} "e"? "f"* ("g" "h"){1,2})",
     {"aabgh", "aabbbccefffghgh"},
     {"abgh", "aagh", "aabcccgh", "aabdgh", "aab", "aabghghgh"}},
    {"several quantifiers", "root ::= \"a\"?+", {"", "a", "aaa"}, {"b"}},
    {"comments and lines",
     "# top\nroot ::= # here\n  \"a\" |\n  \"b\" # there\n\nrest ::= \"c\"\n",
     {"a", "b"},
     {"c", "ab"}},
    {"alternatives on lines",
     "root ::= one\n       | two\none ::= \"1\"\ntwo ::= \"2\"\n",
     {"1", "2"},
     {"12"}},
    {"groups over lines", "root ::= (\n  \"a\"\n  \"b\"\n  | \"c\"\n)+\n", {"ab", "cab"}, {"a"}},
    {"longest match hides nothing", R"(root ::= [a-z]* "a")", {"a", "bba", "aaa"}, {"", "ab"}},
    {"a choice that begins another", R"(root ::= ("a" | "ab") "bc")", {"abc", "abbc"}, {"ab"}},
    {"empty alternative", "root ::= \"a\" ( | \"b\" )", {"a", "ab"}, {"b", ""}},
    {"names differ by case", "root ::= A a\nA ::= \"1\"\na ::= \"2\"\n", {"12"}, {"11", "22"}},
    {"arithmetic",
     "root  ::= (expr \"=\" ws term \"\\n\")+\n"
     "expr  ::= term ([-+*/] term)*\n"
     "term  ::= ident | num | \"(\" ws expr \")\" ws\n"
     "ident ::= [a-z] [a-z0-9_]* ws\n"
     "num   ::= [0-9]+ ws\n"
     "ws    ::= [ \\t\\n]*\n",
     {"1+2*x=3\n", "(a +b )*2 = c_1\n", "1=1\n2=2\n"},
     {"1+=3\n", "(1=1\n", "1=1", "=1\n"}},
    {"json",
     "root   ::= object\n"
     "value  ::= object | array | string | number | (\"true\" | \"false\" | \"null\") ws\n"
     "object ::= \"{\" ws ( string \":\" ws value (\",\" ws string \":\" ws value)* )? \"}\" ws\n"
     "array  ::= \"[\" ws ( value (\",\" ws value)* )? \"]\" ws\n"
     "string ::= \"\\\"\" ( [^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" ([\"\\\\bfnrt] | \"u\" "
     "[0-9a-fA-F]{4}) )* \"\\\"\" ws\n"
     "number ::= (\"-\"? ([0-9] | [1-9] [0-9]{0,15})) (\".\" [0-9]+)? ([eE] [-+]? [0-9] "
     "[1-9]{0,15})? ws\n"
     "ws ::= | \" \" | \"\\n\" [ \\t]{0,20}\n",
     {R"({})", R"({"a": [1, -2.5e3, {"b": "\u00e9x\n"}], "c": true})"},
     {R"({"a" 1})", R"([1])", R"({"a":})", R"({"a": "x)"}},
    {"list by right recursion",
     "root ::= item | item \"\\n\" root\nitem ::= \"- \" [^\\n]+\n",
     {"- a", "- a\n- b\n- c"},
     {"", "- a\n", "a"}},
    {"optional tail recursion",
     "root ::= \"x\" ws \"y\"\nws ::= ([ \\t\\n] ws)?\n",
     {"xy", "x \t\ny"},
     {"x", "x z"}},
    {"left recursion",
     "root ::= root \"+\" num | num\nnum ::= [0-9]+\n",
     {"1", "1+22+3"},
     {"+1", "1+", ""}},
    {"mutual recursion",
     "root ::= \"(\" inner \")\"\ninner ::= root | \"x\"\n",
     {"(x)", "((x))"},
     {"x", "((x)", "()"}},
    {"both ends", "root ::= \"a\" root \"b\" | \"ab\"\n", {"ab", "aabb"}, {"aab", "abb"}},
};

class GbnfTest : public testing::Test {
 protected:
  ConstraintRig rig_;
};

TEST_F(GbnfTest, AdmitsWhatTheGrammarSays) {
  for (const Case& c : kCases) {
    const auto grammar = rig_.Compile(ConstraintSpec::Grammar(c.grammar));
    ASSERT_TRUE(grammar.ok()) << c.name << ": " << grammar.status();
    for (const std::string& text : c.admitted) {
      EXPECT_TRUE(ConstraintRig::AdmitsText(**grammar, text)) << c.name << ": " << text;
    }
    for (const std::string& text : c.rejected) {
      EXPECT_FALSE(ConstraintRig::AdmitsText(**grammar, text)) << c.name << ": " << text;
    }
  }
}

TEST_F(GbnfTest, LongListsDoNotNest) {
  const auto grammar = rig_.Compile(
      ConstraintSpec::Grammar("root ::= item | item \"\\n\" root\nitem ::= \"- \" [^\\n]+\n"));
  ASSERT_TRUE(grammar.ok());
  std::string text = "- a";
  for (int i = 0; i < 2000; ++i) text += "\n- b";
  EXPECT_TRUE(ConstraintRig::AdmitsText(**grammar, text));
}

TEST_F(GbnfTest, DeepGroupsAreFine) {
  std::string body = "\"x\"";
  for (int i = 0; i < 30; ++i) body = "(" + body + " | \"" + std::to_string(i) + "\")";
  EXPECT_TRUE(rig_.Admits(ConstraintSpec::Grammar("root ::= " + body), "x"));
  EXPECT_TRUE(rig_.Admits(ConstraintSpec::Grammar("root ::= " + body), "29"));
}

TEST_F(GbnfTest, TokensByNameAndId) {
  const auto by_name = rig_.Compile(ConstraintSpec::Grammar("root ::= <|start|> [a-z]+ <[258]>\n"));
  ASSERT_TRUE(by_name.ok()) << by_name.status();
  EXPECT_TRUE(ConstraintRig::AdmitsTokens(**by_name, {kByteStart, 'a', 'b', kByteExtra}));
  EXPECT_FALSE(ConstraintRig::AdmitsTokens(**by_name, {'a', kByteExtra}));
  const auto negated = rig_.Compile(ConstraintSpec::Grammar("root ::= !<|start|>* <|start|>\n"));
  ASSERT_TRUE(negated.ok()) << negated.status();
  EXPECT_TRUE(ConstraintRig::AdmitsTokens(**negated, {'a', kByteExtra, kByteStart}));
  EXPECT_FALSE(ConstraintRig::AdmitsTokens(**negated, {'a', kByteEos}));
  EXPECT_THAT(rig_.Refusal(ConstraintSpec::Grammar("root ::= <|none|>")), HasSubstr("no token"));
  EXPECT_THAT(rig_.Refusal(ConstraintSpec::Grammar("root ::= <[100000]>")), HasSubstr("no token"));
}

TEST_F(GbnfTest, ErrorsNameTheLine) {
  const auto refusal = [this](const char* text) {
    return rig_.Refusal(ConstraintSpec::Grammar(text));
  };
  EXPECT_THAT(refusal("root ::= \"a\"\nb ::= \"x"), HasSubstr("line 2: a literal has no end"));
  EXPECT_THAT(refusal("a ::= \"x\""), HasSubstr("no rule 'root'"));
  EXPECT_THAT(refusal("root ::= b"), HasSubstr("'b' is not defined"));
  EXPECT_THAT(refusal("root ::= \"a\"\nroot ::= \"b\""), HasSubstr("defined twice"));
  EXPECT_THAT(refusal("root ::= [z-a]"), HasSubstr("reversed"));
  EXPECT_THAT(refusal("root ::= \"a\"{3,1}"), HasSubstr("reversed"));
  EXPECT_THAT(refusal("root ::= \"a\"{5000}"), HasSubstr("at most"));
  EXPECT_THAT(refusal("root ::= (\"a\""), HasSubstr("expected )"));
  EXPECT_THAT(refusal("root ::= \"\\q\""), HasSubstr("escape"));
  EXPECT_THAT(refusal("root ::= []"), HasSubstr("empty"));
  EXPECT_THAT(refusal("root ::= \"a\" @"), HasSubstr("end of the rule"));
  EXPECT_THAT(refusal("root ::= (?=\"a\") \"a\""), HasSubstr("look-ahead"));
}

}  // namespace
}  // namespace baton
