#include "common/constraint/gbnf.h"

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/lark_text.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr int kNestingMax = 32;
constexpr int32_t kRepetitionMax = 2000;
constexpr std::string_view kDefines = "::=";

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : text_(text) {}

  absl::StatusOr<GbnfGrammar> Run() {
    SkipSpace(/*lines=*/true);
    while (!AtEnd()) RETURN_IF_ERROR(ReadRule());
    for (size_t i = 0; i < defined_.size(); ++i) {
      if (!defined_[i]) {
        return Fail(absl::StrCat("the rule '", grammar_.rules[i].name, "' is not defined"));
      }
    }
    const auto root = index_of_.find("root");
    if (root == index_of_.end()) return Fail("there is no rule 'root'");
    grammar_.root = root->second;
    return std::move(grammar_);
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool Take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  absl::Status Fail(std::string_view message) const {
    size_t line = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n' ? 1 : 0;
    return InvalidArgument(absl::StrCat("line ", line, ": ", ToAbsl(message)));
  }

  void SkipSpace(bool lines) {
    while (!AtEnd()) {
      const char c = Peek();
      if (c == '#') {
        while (!AtEnd() && Peek() != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  // What follows a name decides whether it begins the next rule.
  bool AtDefinition() const {
    size_t i = at_;
    while (i < text_.size() && IsNameChar(text_[i])) ++i;
    if (i == at_) return false;
    while (i < text_.size() && (text_[i] == ' ' || text_[i] == '\t')) ++i;
    return text_.substr(i).starts_with(kDefines);
  }

  absl::StatusOr<std::string> ReadName() {
    const size_t begin = at_;
    while (IsNameChar(Peek())) ++at_;
    if (at_ == begin) return Fail("expected a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  size_t IndexOf(const std::string& name) {
    const auto [entry, fresh] = index_of_.try_emplace(name, grammar_.rules.size());
    if (fresh) {
      grammar_.rules.push_back({.name = name, .alternatives = {}});
      defined_.push_back(false);
    }
    return entry->second;
  }

  absl::Status ReadRule() {
    ASSIGN_OR_RETURN(const std::string name, ReadName());
    SkipSpace(false);
    if (!Take(kDefines)) return Fail("expected ::= after the name");
    SkipSpace(true);
    const size_t index = IndexOf(name);
    if (defined_[index]) return Fail(absl::StrCat("the rule '", name, "' is defined twice"));
    defined_[index] = true;
    if (grammar_.rules.size() > kRulesMax) {
      return Fail(absl::StrCat("more than ", kRulesMax, " rules"));
    }
    ASSIGN_OR_RETURN(GbnfAlternatives alternatives, ReadAlternatives(0));
    grammar_.rules[index].alternatives = std::move(alternatives);
    SkipSpace(false);
    if (!AtEnd() && Peek() != '\n' && Peek() != '\r') return Fail("expected the end of the rule");
    SkipSpace(true);
    return absl::OkStatus();
  }

  absl::StatusOr<GbnfAlternatives> ReadAlternatives(int depth) {
    if (depth > kNestingMax) return Fail("nested too deeply");
    GbnfAlternatives alternatives;
    while (true) {
      ASSIGN_OR_RETURN(GbnfSequence sequence, ReadSequence(depth));
      alternatives.push_back(std::move(sequence));
      const size_t before = at_;
      SkipSpace(true);
      if (Peek() != '|') {
        if (depth == 0) at_ = before;
        return alternatives;
      }
      ++at_;
      SkipSpace(true);
    }
  }

  absl::StatusOr<GbnfSequence> ReadSequence(int depth) {
    GbnfSequence sequence;
    while (true) {
      SkipSpace(/*lines=*/depth > 0);
      if (AtDefinition()) return sequence;
      ASSIGN_OR_RETURN(std::optional<GbnfSymbol> symbol, ReadSymbol(depth));
      if (!symbol.has_value()) return sequence;
      RETURN_IF_ERROR(ReadQuantifiers(depth, *symbol));
      sequence.push_back(*std::move(symbol));
    }
  }

  // Absent: no symbol begins here.
  absl::StatusOr<std::optional<GbnfSymbol>> ReadSymbol(int depth) {
    using Kind = GbnfSymbol::Kind;
    if (Take("\"")) return ReadLiteral();
    if (Take("[")) return ReadClass();
    if (Peek() == '<' || (Peek() == '!' && Peek(1) == '<')) return ReadToken();
    if (Take("(")) {
      if (Peek() == '=' || Peek() == '?') return Fail("look-ahead is not supported");
      GbnfSymbol symbol{.kind = Kind::kGroup};
      ASSIGN_OR_RETURN(symbol.group, ReadAlternatives(depth + 1));
      if (!Take(")")) return Fail("expected )");
      return symbol;
    }
    if (Peek() == '.' && !IsNameChar(Peek(1))) {
      ++at_;
      return GbnfSymbol{.kind = Kind::kAny};
    }
    if (!IsNameChar(Peek())) return std::nullopt;
    ASSIGN_OR_RETURN(const std::string name, ReadName());
    return GbnfSymbol{.kind = Kind::kRule, .rule = IndexOf(name)};
  }

  absl::StatusOr<GbnfSymbol> ReadLiteral() {
    GbnfSymbol symbol{.kind = GbnfSymbol::Kind::kLiteral};
    while (!Take("\"")) {
      if (AtEnd() || Peek() == '\n') return Fail("a literal has no end");
      ASSIGN_OR_RETURN(const char32_t code, ReadChar());
      AppendUtf8(code, symbol.text);
    }
    return symbol;
  }

  absl::StatusOr<GbnfSymbol> ReadClass() {
    GbnfSymbol symbol{.kind = GbnfSymbol::Kind::kClass, .negated = Take("^")};
    while (!Take("]")) {
      if (AtEnd()) return Fail("a character class has no end");
      ASSIGN_OR_RETURN(const char32_t first, ReadChar());
      char32_t last = first;
      if (Peek() == '-' && Peek(1) != ']' && at_ + 1 < text_.size()) {
        ++at_;
        ASSIGN_OR_RETURN(last, ReadChar());
      }
      if (last < first) return Fail("a range of characters is reversed");
      symbol.ranges.emplace_back(first, last);
    }
    if (!symbol.ranges.empty()) return symbol;
    if (symbol.negated) return GbnfSymbol{.kind = GbnfSymbol::Kind::kAny};
    return Fail("a character class is empty");
  }

  absl::StatusOr<GbnfSymbol> ReadToken() {
    GbnfSymbol symbol{.kind = GbnfSymbol::Kind::kToken, .negated = Take("!")};
    const size_t end = text_.find('>', at_);
    if (end == text_.npos || end == at_ + 1) return Fail("a token has no end");
    symbol.text = std::string(text_.substr(at_, end + 1 - at_));
    if (symbol.text.find('\n') != std::string::npos) return Fail("a token has no end");
    at_ = end + 1;
    return symbol;
  }

  absl::StatusOr<char32_t> ReadChar() {
    if (Peek() != '\\') {
      const Utf8Char c = DecodeChar(text_.substr(at_));
      if (!c.valid) return Fail("the text is not UTF-8");
      at_ += c.length;
      return c.code;
    }
    const char escaped = Peek(1);
    at_ += 2;
    switch (escaped) {
      case 'x':
        return ReadHex(2);
      case 'u':
        return ReadHex(4);
      case 'U':
        return ReadHex(8);
      case 't':
        return U'\t';
      case 'r':
        return U'\r';
      case 'n':
        return U'\n';
      default:
        break;
    }
    constexpr std::string_view kThemselves = "\\\"[]-^'/";
    if (escaped != '\0' && kThemselves.find(escaped) != kThemselves.npos) {
      return static_cast<char32_t>(escaped);
    }
    return Fail("an escape is unknown");
  }

  absl::StatusOr<char32_t> ReadHex(size_t digits) {
    uint32_t code = 0;
    const std::string_view text = text_.substr(at_, digits);
    if (text.size() != digits || text.find_first_not_of("0123456789abcdefABCDEF") != text.npos ||
        !absl::SimpleHexAtoi(ToAbsl(text), &code)) {
      return Fail(absl::StrCat("expected ", digits, " hexadecimal digits"));
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return Fail("that is no character");
    at_ += digits;
    return static_cast<char32_t>(code);
  }

  absl::Status ReadQuantifiers(int depth, GbnfSymbol& symbol) {
    while (true) {
      const size_t before = at_;
      SkipSpace(/*lines=*/depth > 0);
      int32_t min_count = 0;
      int32_t max_count = GbnfSymbol::kUnbounded;
      if (Take("?")) {
        max_count = 1;
      } else if (Take("+")) {
        min_count = 1;
      } else if (Take("{")) {
        RETURN_IF_ERROR(ReadCounts(min_count, max_count));
      } else if (!Take("*")) {
        at_ = before;
        return absl::OkStatus();
      }
      if (!symbol.once()) {
        GbnfSymbol inner = std::move(symbol);
        symbol = GbnfSymbol{.kind = GbnfSymbol::Kind::kGroup};
        symbol.group = {{std::move(inner)}};
      }
      symbol.min_count = min_count;
      symbol.max_count = max_count;
    }
  }

  absl::Status ReadCounts(int32_t& min_count, int32_t& max_count) {
    SkipSpace(false);
    if (Peek() != ',') {
      ASSIGN_OR_RETURN(min_count, ReadCount());
    }
    max_count = min_count;
    SkipSpace(false);
    if (Take(",")) {
      SkipSpace(false);
      max_count = GbnfSymbol::kUnbounded;
      if (Peek() != '}') {
        ASSIGN_OR_RETURN(max_count, ReadCount());
      }
    }
    SkipSpace(false);
    if (!Take("}")) return Fail("expected }");
    if (max_count != GbnfSymbol::kUnbounded && max_count < min_count) {
      return Fail("a repetition is reversed");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int32_t> ReadCount() {
    const size_t begin = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    int32_t count = 0;
    if (!absl::SimpleAtoi(ToAbsl(text_.substr(begin, at_ - begin)), &count) ||
        count > kRepetitionMax) {
      return Fail(absl::StrCat("expected a number of repetitions, at most ", kRepetitionMax));
    }
    return count;
  }

  const std::string_view text_;
  size_t at_ = 0;
  GbnfGrammar grammar_;
  std::vector<bool> defined_;
  absl::flat_hash_map<std::string, size_t> index_of_;
};

}  // namespace

bool LooksLikeGbnf(std::string_view grammar) { return grammar.find(kDefines) != grammar.npos; }

absl::StatusOr<GbnfGrammar> ParseGbnf(std::string_view text) {
  if (text.size() > kGrammarBytesMax) {
    return InvalidArgument(absl::StrCat(text.size(), " bytes, at most ", kGrammarBytesMax));
  }
  return GbnfParser(text).Run();
}

}  // namespace baton
