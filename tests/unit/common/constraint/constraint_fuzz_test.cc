// Random and damaged constraints: none may crash the process, hang it, or come out as anything but
// a grammar or INVALID_ARGUMENT; whatever is drawn under a grammar fits it.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

const std::vector<ConstraintSpec>& Seeds() {
  static const std::vector<ConstraintSpec> seeds = {
      ConstraintSpec::JsonSchema(
          R"({"type":"object","properties":{"a":{"type":"string","pattern":"^[a-z]+$",
              "maxLength":5},"b":{"$ref":"#/$defs/x"}},"required":["a"],"$defs":{"x":{"anyOf":
              [{"type":"integer","minimum":-3,"maximum":99},{"enum":["q",null,1.5]},
              {"type":"array","items":{"$ref":"#/$defs/x"},"maxItems":3}]}}})"),
      ConstraintSpec::JsonSchema(
          R"({"oneOf":[{"$ref":"#/$defs/a"},{"const":"z"}],"$defs":{"a":{"type":"object",
              "patternProperties":{"^k":{"type":"boolean"}},"additionalProperties":false}}})"),
      ConstraintSpec::Regex("(a|b)*[c-e]{2,5}\\d+(?:x|yz)?"),
      ConstraintSpec::Grammar("root ::= item+ | \"[\" root \"]\"\nitem ::= [a-z]{1,3} \",\"?\n"),
      ConstraintSpec::Grammar(
          "start: a | \"(\" start \")\"\na: /[0-9]+/ %json {\"type\":\"null\"}\n"),
      ConstraintSpec::StructuralTag(
          R"({"format":{"type":"triggered_tags","triggers":["<f="],"tags":[{"type":"tag",
              "begin":"<f=a>","content":{"type":"json_schema","json_schema":{"type":"integer"}},
              "end":"</f>"}],"at_least_one":true}})"),
      ConstraintSpec::Choice({"one", "two", "three"}),
  };
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::string Damage(std::string text) {
    static constexpr std::string_view kPieces[] = {
        "{",     "}",         "[",      "]",  "\"",    "\\",    "(",    ")", "*", "+",
        "?",     "|",         "::=",    "\n", "%json", "#",     "$ref", "~", "/", "&",
        "<[1]>", "<|start|>", "{2000}", "0",  "-1",    "1e300", "\xff", "ü", "."};
    for (size_t edits = 1 + Below(4); edits > 0; --edits) {
      const size_t at = Below(text.size() + 1);
      switch (Below(4)) {
        case 0:
          text.insert(at, kPieces[Below(std::size(kPieces))]);
          break;
        case 1:
          text.erase(at, 1 + Below(6));
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(Below(256));
          break;
        default:
          text.insert(at, text.substr(Below(text.size() + 1), Below(40)));
      }
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

// Draws up to 60 tokens at random among those allowed; every one must be taken.
void Walk(const CompiledGrammar& grammar, Mutator& random) {
  Matcher matcher = grammar.NewMatcher();
  std::vector<uint32_t> mask(grammar.first_mask().begin(), grammar.first_mask().end());
  for (int step = 0; step < 60 && !matcher.IsComplete(); ++step) {
    if (!matcher.ComputeMask(absl::MakeSpan(mask)).ok()) return;  // too complex
    std::vector<TokenId> allowed;
    for (TokenId token = 0; token < kByteVocab; ++token) {
      if ((mask[token / 32] >> (token % 32) & 1) != 0) allowed.push_back(token);
    }
    ASSERT_FALSE(allowed.empty());
    const TokenId token = allowed[random.Below(allowed.size())];
    if (token == kByteEos) return;
    const absl::Status status = matcher.Consume({token});
    ASSERT_TRUE(status.ok()) << status;
  }
}

TEST(ConstraintFuzzTest, DamagedConstraintsAreRefusedOrWork) {
  ConstraintRig rig;
  Mutator random(20261121);
  const char* rounds = std::getenv("BATON_FUZZ_ROUNDS");
  const int count = rounds != nullptr ? std::atoi(rounds) : 300;
  int compiled = 0;
  for (int round = 0; round < count; ++round) {
    ConstraintSpec spec = Seeds()[random.Below(Seeds().size())];
    spec.text = random.Damage(spec.text);
    for (std::string& choice : spec.choices) choice = random.Damage(choice);
    if (random.Below(8) == 0) spec.start_after_text = random.Damage("</think>");
    const auto grammar = rig.Compile(spec);
    if (!grammar.ok()) {
      EXPECT_TRUE(absl::IsInvalidArgument(grammar.status())) << grammar.status();
      continue;
    }
    ++compiled;
    Walk(**grammar, random);
  }
  EXPECT_GT(compiled, count / 50);
}

}  // namespace
}  // namespace baton
