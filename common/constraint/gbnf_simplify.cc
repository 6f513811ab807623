// ReplaceTailRecursion: see gbnf.h.
#include <algorithm>
#include <iterator>
#include <optional>

#include "common/constraint/gbnf.h"

namespace baton {
namespace {

using Kind = GbnfSymbol::Kind;

size_t CountUses(const GbnfAlternatives& alternatives, size_t rule) {
  size_t uses = 0;
  for (const GbnfSequence& sequence : alternatives) {
    for (const GbnfSymbol& symbol : sequence) {
      if (symbol.kind == Kind::kRule && symbol.rule == rule) ++uses;
      if (symbol.kind == Kind::kGroup) uses += CountUses(symbol.group, rule);
    }
  }
  return uses;
}

bool IsPlainUse(const GbnfSymbol& symbol, size_t rule) {
  return symbol.kind == Kind::kRule && symbol.rule == rule && symbol.once();
}

// Alternatives that end with a group which uses the rule, as in `("x" rule)?`, are spelled out.
GbnfAlternatives SpellOutTails(const GbnfAlternatives& alternatives, size_t rule) {
  GbnfAlternatives result;
  for (const GbnfSequence& sequence : alternatives) {
    const bool is_tail = !sequence.empty() && sequence.back().kind == Kind::kGroup &&
                         sequence.back().max_count == 1 &&
                         CountUses(sequence.back().group, rule) > 0;
    if (!is_tail) {
      result.push_back(sequence);
      continue;
    }
    const GbnfSequence head(sequence.begin(), std::prev(sequence.end()));
    if (sequence.back().min_count == 0) result.push_back(head);
    for (const GbnfSequence& tail : SpellOutTails(sequence.back().group, rule)) {
      GbnfSequence whole = head;
      whole.insert(whole.end(), tail.begin(), tail.end());
      result.push_back(std::move(whole));
    }
  }
  return result;
}

GbnfSymbol Repeated(GbnfAlternatives group) {
  return {.kind = Kind::kGroup,
          .group = std::move(group),
          .min_count = 0,
          .max_count = GbnfSymbol::kUnbounded};
}

// a: x a | y  →  a: (x)* (y), and its mirror image; absent if the rule recurses in another way.
std::optional<GbnfAlternatives> AsRepetition(const GbnfAlternatives& alternatives, size_t rule,
                                             bool at_end) {
  GbnfAlternatives repeated;
  GbnfAlternatives once;
  for (const GbnfSequence& sequence : alternatives) {
    const size_t uses = CountUses({sequence}, rule);
    if (uses == 0) {
      once.push_back(sequence);
      continue;
    }
    if (uses > 1 || !IsPlainUse(at_end ? sequence.back() : sequence.front(), rule)) {
      return std::nullopt;
    }
    if (sequence.size() == 1) continue;  // a: a says nothing
    repeated.emplace_back(at_end ? sequence.begin() : std::next(sequence.begin()),
                          at_end ? std::prev(sequence.end()) : sequence.end());
  }
  if (once.empty()) return std::nullopt;
  if (repeated.empty()) return once;
  GbnfSymbol loop = Repeated(std::move(repeated));
  GbnfSymbol rest{.kind = Kind::kGroup, .group = std::move(once)};
  if (at_end) return GbnfAlternatives{{std::move(loop), std::move(rest)}};
  return GbnfAlternatives{{std::move(rest), std::move(loop)}};
}

}  // namespace

void ReplaceTailRecursion(GbnfGrammar& grammar) {
  for (size_t rule = 0; rule < grammar.rules.size(); ++rule) {
    GbnfAlternatives& alternatives = grammar.rules[rule].alternatives;
    if (CountUses(alternatives, rule) == 0) continue;
    const GbnfAlternatives spelled_out = SpellOutTails(alternatives, rule);
    std::optional<GbnfAlternatives> repetition = AsRepetition(spelled_out, rule, /*at_end=*/true);
    if (!repetition.has_value()) repetition = AsRepetition(alternatives, rule, /*at_end=*/false);
    if (repetition.has_value()) alternatives = *std::move(repetition);
  }
}

}  // namespace baton
