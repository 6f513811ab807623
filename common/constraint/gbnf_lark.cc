#include "common/constraint/gbnf_lark.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/lark_text.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

using Kind = GbnfSymbol::Kind;

// The engine parses 30 levels; deeper groups become rules of their own.
constexpr int kInlineDepthMax = 8;

// Which rules the root reaches, and whether one of them reaches itself.
class Reach {
 public:
  explicit Reach(const GbnfGrammar& grammar)
      : grammar_(grammar), state_(grammar.rules.size(), State::kNew) {
    Visit(grammar.root);
  }

  bool contains(size_t rule) const { return state_[rule] != State::kNew; }
  bool recursive() const { return recursive_; }
  bool has_tokens() const { return has_tokens_; }

 private:
  enum class State : uint8_t { kNew, kOpen, kDone };

  void Visit(size_t rule) {
    if (state_[rule] == State::kOpen) recursive_ = true;
    if (state_[rule] != State::kNew) return;
    state_[rule] = State::kOpen;
    VisitAll(grammar_.rules[rule].alternatives);
    state_[rule] = State::kDone;
  }

  void VisitAll(const GbnfAlternatives& alternatives) {
    for (const GbnfSequence& sequence : alternatives) {
      for (const GbnfSymbol& symbol : sequence) {
        if (symbol.kind == Kind::kRule) Visit(symbol.rule);
        if (symbol.kind == Kind::kGroup) VisitAll(symbol.group);
        has_tokens_ = has_tokens_ || symbol.kind == Kind::kToken;
      }
    }
  }

  const GbnfGrammar& grammar_;
  std::vector<State> state_;
  bool recursive_ = false;
  bool has_tokens_ = false;
};

std::string ClassLiteral(const GbnfSymbol& symbol) {
  std::string literal = symbol.negated ? "/[^" : "/[";
  for (const auto& [first, last] : symbol.ranges) {
    absl::StrAppendFormat(&literal, "\\x{%x}", static_cast<uint32_t>(first));
    if (last != first) absl::StrAppendFormat(&literal, "-\\x{%x}", static_cast<uint32_t>(last));
  }
  return literal + "]/";
}

std::string Quantifier(const GbnfSymbol& symbol) {
  if (symbol.once()) return "";
  if (symbol.max_count == GbnfSymbol::kUnbounded) {
    if (symbol.min_count == 0) return "*";
    if (symbol.min_count == 1) return "+";
    return absl::StrCat("{", symbol.min_count, ",}");
  }
  return absl::StrCat("{", symbol.min_count, ",", symbol.max_count, "}");
}

class LarkWriter {
 public:
  LarkWriter(const GbnfGrammar& grammar, const TokenVocabulary& vocabulary, bool one_terminal)
      : grammar_(grammar), vocabulary_(vocabulary), one_terminal_(one_terminal) {}

  absl::StatusOr<std::string> Run(const Reach& reach) {
    std::string text = absl::StrCat("start: ", RuleName(grammar_.root), "\n");
    for (size_t rule = 0; rule < grammar_.rules.size(); ++rule) {
      if (!reach.contains(rule)) continue;
      ASSIGN_OR_RETURN(const std::string body, Body(grammar_.rules[rule].alternatives, 0));
      absl::StrAppend(&text, RuleName(rule), ": ", body, "\n");
    }
    return text + groups_;
  }

 private:
  // Names in upper case are terminals.
  std::string RuleName(size_t rule) const { return absl::StrCat(one_terminal_ ? "R" : "r", rule); }

  absl::StatusOr<std::string> Body(const GbnfAlternatives& alternatives, int depth) {
    std::vector<std::string> parts;
    for (const GbnfSequence& sequence : alternatives) {
      std::vector<std::string> symbols;
      for (const GbnfSymbol& symbol : sequence) {
        ASSIGN_OR_RETURN(std::string text, Symbol(symbol, depth));
        symbols.push_back(std::move(text));
      }
      parts.push_back(symbols.empty() ? "\"\"" : absl::StrJoin(symbols, " "));
    }
    return absl::StrJoin(parts, " | ");
  }

  absl::StatusOr<std::string> Symbol(const GbnfSymbol& symbol, int depth) {
    if (symbol.max_count == 0) return std::string("\"\"");
    ASSIGN_OR_RETURN(const std::string atom, Atom(symbol, depth));
    return atom + Quantifier(symbol);
  }

  absl::StatusOr<std::string> Atom(const GbnfSymbol& symbol, int depth) {
    switch (symbol.kind) {
      case Kind::kLiteral:
        return Literal(symbol);
      case Kind::kClass:
        return ClassLiteral(symbol);
      case Kind::kAny:
        return std::string("/(?s:.)/");
      case Kind::kRule:
        return RuleName(symbol.rule);
      case Kind::kToken:
        return Token(symbol);
      case Kind::kGroup:
        return Group(symbol, depth);
    }
    return Internal("gbnf: unknown symbol");
  }

  // A terminal of several characters would be taken whole or not at all.
  std::string Literal(const GbnfSymbol& symbol) const {
    if (one_terminal_ || symbol.text.empty()) return LarkString(symbol.text);
    std::vector<std::string> characters;
    for (std::string_view rest = symbol.text; !rest.empty();) {
      const uint32_t length = DecodeChar(rest).length;
      characters.push_back(LarkString(rest.substr(0, length)));
      rest.remove_prefix(length);
    }
    return characters.size() == 1 ? characters[0]
                                  : absl::StrCat("(", absl::StrJoin(characters, " "), ")");
  }

  absl::StatusOr<std::string> Group(const GbnfSymbol& symbol, int depth) {
    if (depth < kInlineDepthMax) {
      ASSIGN_OR_RETURN(const std::string body, Body(symbol.group, depth + 1));
      return absl::StrCat("(", body, ")");
    }
    ASSIGN_OR_RETURN(const std::string body, Body(symbol.group, 0));
    const std::string name = absl::StrCat(one_terminal_ ? "G" : "g", ++group_count_);
    absl::StrAppend(&groups_, name, ": ", body, "\n");
    return name;
  }

  // The id in "<[1000]>", or that of the token spelled "<think>".
  absl::StatusOr<std::string> Token(const GbnfSymbol& symbol) const {
    const std::string& text = symbol.text;
    std::string reference = text;
    if (text.starts_with("<[") && text.ends_with("]>")) {
      uint32_t id = 0;
      if (!absl::SimpleAtoi(text.substr(2, text.size() - 4), &id) || id >= vocabulary_.size()) {
        return InvalidArgument(absl::StrCat("there is no token ", text));
      }
    } else if (const auto known = vocabulary_.Reference(text)) {
      reference = *known;
    } else {
      return InvalidArgument(absl::StrCat("there is no token ", text));
    }
    if (!symbol.negated) return reference;
    // End tokens are never part of the text.
    return absl::StrCat("<[^", reference.substr(2, reference.size() - 4), ",",
                        absl::StrJoin(vocabulary_.end_ids(), ","), "]>");
  }

  const GbnfGrammar& grammar_;
  const TokenVocabulary& vocabulary_;
  const bool one_terminal_;
  int group_count_ = 0;
  std::string groups_;
};

}  // namespace

absl::StatusOr<std::string> GbnfToLark(const GbnfGrammar& grammar,
                                       const TokenVocabulary& vocabulary) {
  const Reach reach(grammar);
  const bool one_terminal = !reach.recursive() && !reach.has_tokens();
  return LarkWriter(grammar, vocabulary, one_terminal).Run(reach);
}

}  // namespace baton
