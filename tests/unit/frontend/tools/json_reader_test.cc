#include "frontend/tools/json_reader.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace baton::frontend {
namespace {

using Step = JsonReader::Step;

struct Outcome {
  Step step = Step::kMore;
  size_t read = 0;  // bytes up to and including the one that ended it
  std::string copy;
  bool complete = false;
};

Outcome Read(std::string_view text) {
  JsonReader reader;
  Outcome outcome;
  for (const char byte : text) {
    ++outcome.read;
    outcome.step = reader.Push(byte, &outcome.copy);
    if (outcome.step != Step::kMore) break;
  }
  outcome.complete = reader.CompleteAtEnd();
  return outcome;
}

TEST(JsonReader, CopiesValuesAsTheyAre) {
  for (const std::string_view text :
       {R"({})", R"([])", R"({"a": 1})", R"({"a":{"b":[1,2.5e-3,-0,true,false,null]}})",
        R"("x\n\"\u00e9é")", R"([[[]], {"": ""}])", R"({ "k" : [ 1 , 2 ] })"}) {
    const Outcome outcome = Read(text);
    EXPECT_EQ(outcome.step, Step::kEnd) << text;
    EXPECT_EQ(outcome.copy, text);
    EXPECT_EQ(outcome.read, text.size());
    EXPECT_TRUE(outcome.complete);
  }
}

TEST(JsonReader, StopsBehindTheValue) {
  EXPECT_EQ(Read(R"({"a":1}, tail)").read, 7U);
  const Outcome number = Read("12,");
  EXPECT_EQ(number.step, Step::kEndBefore);
  EXPECT_EQ(number.copy, "12");
  EXPECT_EQ(Read("true}").step, Step::kEndBefore);
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const std::string_view text :
       {"{a:1}", R"({"a" 1})", R"({"a":1,,})", "[,]",       "[1,,]", "[1 2]", "[01]",
        "1.",    "-",          "1e",           "tru ",      "nul}",  "Nope",  "]",
        "}",     ",",          R"({"a":})",    R"({"a",})", "{]",    "[}"}) {
    std::string with_end(text);
    EXPECT_EQ(
        Read(with_end + " ").step == Step::kInvalid || Read(with_end + ";").step == Step::kInvalid,
        true)
        << text;
  }
}

TEST(JsonReader, ReadsWhatModelsMean) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {R"({'a': 'it is "x"'})", R"({"a": "it is \"x\""})"},
      {R"("it\'s")", R"("it's")"},
      {R"('it\'s')", R"("it's")"},
      {R"("\d+ \x41")", R"("\\d+ \\x41")"},
      {R"("\u12 \uzz")", R"("\\u12 \\uzz")"},
      {R"([1, 2, ])", R"([1, 2])"},
      {R"({"a": [1,],
 })",
       R"({"a": [1]})"},
      {R"([True, False, None, NaN, Infinity, undefined])",
       R"([true, false, null, null, null, null])"},
      {"\"a\\\nb\"", R"("a\\\nb")"}};
  for (const auto& [written, meant] : kCases) {
    const Outcome outcome = Read(std::string(written) + " ");
    EXPECT_EQ(outcome.copy, meant) << written;
  }
}

TEST(JsonReader, ClosesWhatWasCopied) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"{", "{}"},
      {R"({"a)", R"({"a": null})"},
      {R"({"a")", R"({"a": null})"},
      {R"({"a":)", R"({"a":null})"},
      {R"({"a":x)", R"({"a":null})"},
      {R"({"a": tr)", R"({"a": null})"},
      {R"({"a": trx)", R"({"a": null})"},
      {R"({"a": "x\u1)", R"({"a": "x"})"},
      {R"({"a": 1, )", R"({"a": 1})"},
      {R"({"a": 1, b)", R"({"a": 1})"},
      {R"([1, [{"a": -)", R"([1, [{"a": -0}]])"},
      {R"([1, x)", "[1]"},
      {R"([1.)", "[1.0]"}};
  for (const auto& [written, closed] : kCases) {
    JsonReader reader;
    std::string copy;
    for (const char byte : written) {
      if (reader.Push(byte, &copy) != Step::kMore) break;
    }
    reader.Close(&copy);
    EXPECT_EQ(copy, closed) << written;
  }
}

TEST(JsonReader, EscapesRawControlCharacters) {
  EXPECT_EQ(Read("\"a\nb\tc\x01\"").copy, R"("a\nb\tc\u0001")");
}

TEST(JsonReader, KnowsWhatIsCompleteAtTheEnd) {
  EXPECT_TRUE(Read("12").complete);
  EXPECT_TRUE(Read("null").complete);
  EXPECT_FALSE(Read("12.").complete);
  EXPECT_FALSE(Read("nul").complete);
  EXPECT_FALSE(Read("[1").complete);
  EXPECT_FALSE(Read("\"a").complete);
  EXPECT_FALSE(Read("").complete);
}

TEST(JsonReader, BoundsDepth) {
  EXPECT_EQ(Read(std::string(1000, '[')).step, Step::kInvalid);
  EXPECT_EQ(Read(std::string(1000, '[')).read, JsonReader::kDepthMax + 1);
}

}  // namespace
}  // namespace baton::frontend
