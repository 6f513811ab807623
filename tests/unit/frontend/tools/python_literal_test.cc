#include "frontend/tools/python_literal.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace baton::frontend {
namespace {

// The JSON of a value that stands in front of a parenthesis; "invalid" for anything else.
std::string JsonOf(std::string_view literal) {
  PythonLiteral reader;
  std::string json;
  PythonLiteral::Step step = PythonLiteral::Step::kMore;
  for (const char byte : literal) {
    if (step != PythonLiteral::Step::kMore) return "invalid";
    step = reader.Push(byte, &json);
    if (step == PythonLiteral::Step::kInvalid) return "invalid";
  }
  if (step == PythonLiteral::Step::kMore) step = reader.Push('\n', &json);  // ends a comment
  if (step == PythonLiteral::Step::kMore) step = reader.Push(')', &json);
  const bool ended = step == PythonLiteral::Step::kEnd || step == PythonLiteral::Step::kEndBefore;
  return ended ? json : "invalid";
}

struct Case {
  std::string_view literal;
  std::string_view json;
};

// What vLLM 0.32 makes of them.
constexpr Case kCases[] = {
    {"'''x\ny'''", R"("x\ny")"},
    {R"("""x"y""z""")", R"("x\"y\"\"z")"},
    {"''", R"("")"},
    {"''''''", R"("")"},
    {"''' it's '''", R"(" it's ")"},
    {"{1,2}", "[1, 2]"},
    {"{1, 'x',}", R"([1, "x"])"},
    {"{'a'}", R"(["a"])"},
    {"{(1, 2), 3}", "[[1, 2], 3]"},
    {"{{1}, 2}", "[[1], 2]"},
    {"(1,2)", "[1, 2]"},
    {"(1)", "1"},
    {"(('x'))", R"("x")"},
    {"(1,)", "[1]"},
    {"()", "[]"},
    {"[(), (1), (2,), ('a' 'b')]", R"([[], 1, [2], "ab"])"},
    {"{}", "{}"},
    {"[1,]", "[1]"},
    {"[]", "[]"},
    {"'a' 'b'", R"("ab")"},
    {"'a'\n  \"b\"", R"("ab")"},
    {"('a'\n'b')", R"("ab")"},
    {"'''a''' \"b\"", R"("ab")"},
    {R"('a'r'\n')", R"("a\\n")"},
    {R"(r'x\n')", R"("x\\n")"},
    {R"(R'\'')", R"("\\'")"},
    {"u'x'", R"("x")"},
    {"f'{{x}}'", R"("{x}")"},
    {"f'x{y}'", "invalid"},
    {"f'x}'", "invalid"},
    {"b'x'", "invalid"},
    {"rb'x'", "invalid"},
    {"'a' b'x'", "invalid"},
    {"'a' x", "invalid"},
    {"-5", "-5"},
    {"+5", "5"},
    {"--5", "5"},
    {"- 5", "-5"},
    {"-0", "0"},
    {"-.5", "-0.5"},
    {"-'x'", "invalid"},
    {"-True", "invalid"},
    {"{1: 'x', 2.5: 'y', True: 3, None: 4}", R"({"1": "x", "2.5": "y", "true": 3, "null": 4})"},
    {"{'a': 1, 'b' 'c': [2]}", R"({"a": 1, "bc": [2]})"},
    {"{(1): 2}", R"({"1": 2})"},
    {"{(1,2): 3}", "invalid"},
    {"{[1]: 3}", "invalid"},
    {"{'a': 1, [2]: 3}", "invalid"},
    {"{'a': 1, 2}", "invalid"},
    {"{1, 2: 3}", "invalid"},
    {"{'x': {'y': [1, (2, 3), {4}]}}", R"({"x": {"y": [1, [2, 3], [4]]}})"},
    {"[1, # one\n 2]", "[1, 2]"},
    {"[1, \\\n 2]", "[1, 2]"},
    {"[1, \\ 2]", "invalid"},
    {"'#' # not text", R"("#")"},
    {"0x1F", "31"},
    {"0o17", "15"},
    {"0b11", "3"},
    {"0xffffffffffffffffffff", "1208925819614629174706175"},
    {"1_000", "1000"},
    {"1_", "invalid"},
    {"_1", "invalid"},
    {"007", "invalid"},
    {"5.", "5.0"},
    {"5.e3", "5.0e3"},
    {"1.5e-3", "1.5e-3"},
    {"1j", "invalid"},
    {"1+2", "invalid"},
    {"1 + 2", "invalid"},
    {"x", "invalid"},
    {"...", "invalid"},
    {"true", "true"},
    {"null", "null"},
    {R"('\x41\u00e9\U0001F600\101\0\a\v\d\'')", R"("A\u00e9\ud83d\ude00A\u0000\u0007\u000b\\d'")"},
    {"'x\\\ny'", R"("xy")"},
    {"[1)", "invalid"},
    {"(1]", "invalid"},
};

TEST(PythonLiteral, IsReadAsVllmReadsIt) {
  for (const Case& test : kCases) EXPECT_EQ(JsonOf(test.literal), test.json) << test.literal;
}

// Wherever it is cut, what was handed out can be closed to a value.
TEST(PythonLiteral, EveryBeginningClosesToJson) {
  for (const Case& test : kCases) {
    PythonLiteral reader;
    std::string json;
    for (const char byte : test.literal) {
      if (reader.Push(byte, &json) != PythonLiteral::Step::kMore) break;
      if (json.empty()) continue;
      PythonLiteral copy = reader;
      std::string closed = json;
      copy.Close(&closed);
      EXPECT_TRUE(ParseJson(closed).ok()) << test.literal << " gave " << closed;
    }
  }
}

}  // namespace
}  // namespace baton::frontend
