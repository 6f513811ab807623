// A grammar in GBNF, the notation of llama.cpp, as a tree.
//
//   ASSIGN_OR_RETURN(GbnfGrammar grammar, ParseGbnf("root ::= \"yes\" | \"no\""));
//
// Beyond llama.cpp's own parser: names may have '_' and '.', an alternative may begin on the next
// line, and left recursion is fine.
//
// Threading: pure functions, any thread. The depth of nesting is bounded.
// Errors:    INVALID_ARGUMENT with the line, for what is malformed, undefined or too large.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace baton {

struct GbnfSymbol;
using GbnfSequence = std::vector<GbnfSymbol>;
using GbnfAlternatives = std::vector<GbnfSequence>;

struct GbnfSymbol {
  enum class Kind : uint8_t {
    kLiteral,  // text: one character or more
    kClass,    // one character of ranges, or, negated, of none of them
    kAny,      // any character
    kRule,     // index into GbnfGrammar::rules
    kToken,    // text: "<think>" or "<[1000]>"; negated: any other token
    kGroup,
  };
  static constexpr int32_t kUnbounded = -1;

  Kind kind = Kind::kLiteral;
  bool negated = false;
  std::string text = {};  // UTF-8
  std::vector<std::pair<char32_t, char32_t>> ranges = {};
  size_t rule = 0;
  GbnfAlternatives group = {};
  int32_t min_count = 1;
  int32_t max_count = 1;

  bool once() const { return min_count == 1 && max_count == 1; }
};

struct GbnfGrammar {
  struct Rule {
    std::string name;
    GbnfAlternatives alternatives;
  };
  std::vector<Rule> rules;
  size_t root = 0;
};

// Whether a text is GBNF rather than Lark.
bool LooksLikeGbnf(std::string_view grammar);

absl::StatusOr<GbnfGrammar> ParseGbnf(std::string_view text);

// Turns direct recursion at the end or at the beginning of a rule into repetition: the same
// language, but many grammars have no recursion left then, and none nests with the output's length.
void ReplaceTailRecursion(GbnfGrammar& grammar);

}  // namespace baton
