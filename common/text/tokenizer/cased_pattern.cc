#include "common/text/tokenizer/cased_pattern.h"

#include <array>

#include "common/text/tokenizer/char_scan.h"

namespace baton {
namespace {

enum class Case : uint8_t { kOther, kUpper, kLower, kBoth, kMark, kNumber, kSpace, kNewline };

constexpr CategorySet kUpperOnly = SetOf(Category::kLu, Category::kLt);
constexpr CategorySet kBothCases = SetOf(Category::kLm, Category::kLo);

constexpr Case CaseOf(CharProperties properties) {
  if (properties.white_space()) return Case::kSpace;
  if (properties.Is(kUpperOnly)) return Case::kUpper;
  if (properties.Is(SetOf(Category::kLl))) return Case::kLower;
  if (properties.Is(kBothCases)) return Case::kBoth;
  if (properties.Is(kMarks)) return Case::kMark;
  return properties.Is(kNumbers) ? Case::kNumber : Case::kOther;
}

constexpr std::array<Case, 256> kCaseOfProperties = [] {
  std::array<Case, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    // Values that name no category do not occur.
    if ((i & 0x1F) < 30) table[i] = CaseOf(CharProperties(static_cast<uint8_t>(i)));
  }
  return table;
}();

constexpr std::array<Case, 128> kCaseOfAscii = [] {
  std::array<Case, 128> table{};
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = Case::kUpper;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = Case::kLower;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = Case::kNumber;
  for (const char c : {' ', '\t', '\v', '\f'}) table[static_cast<size_t>(c)] = Case::kSpace;
  for (const char c : {'\r', '\n'}) table[static_cast<size_t>(c)] = Case::kNewline;
  return table;
}();

// Both cases or none: what either class of the expression takes.
bool IsBoth(Case value) { return value == Case::kBoth || value == Case::kMark; }
bool IsUpper(Case value) { return value == Case::kUpper || IsBoth(value); }
bool IsLower(Case value) { return value == Case::kLower || IsBoth(value); }
bool IsSymbol(Case value) { return value == Case::kOther || value == Case::kMark; }
bool IsBlank(Case value) { return value == Case::kSpace || value == Case::kNewline; }

// One pass over a text; positions are byte offsets of characters.
class CaseScan {
 public:
  explicit CaseScan(std::string_view text) : text_(text), properties_(CharPropertyTable()) {}

  struct Char {
    Case value;
    uint32_t length;
  };

  uint32_t size() const { return static_cast<uint32_t>(text_.size()); }
  char Byte(uint32_t at) const { return text_[at]; }
  std::string_view From(uint32_t at) const { return text_.substr(at); }

  // REQUIRES: at < size().
  Char At(uint32_t at) const {
    const auto first = static_cast<unsigned char>(text_[at]);
    if (first < 0x80) return {kCaseOfAscii[first], 1};
    const Utf8Char decoded = DecodeNonAscii(text_.substr(at));
    return {kCaseOfProperties[properties_[decoded.code]], decoded.length};
  }

  // The end of `U*L+`, or else of `U+L*`, at `at`; `at` when neither matches.
  uint32_t WordEnd(uint32_t at) const {
    uint32_t both_end = 0;  // of the last character of the upper run that the lower run may take
    uint32_t end = at;
    while (end < size()) {
      const Char next = At(end);
      if (next.value == Case::kLower) return LowerEnd(end + next.length);
      if (!IsUpper(next.value)) break;
      end += next.length;
      if (IsBoth(next.value)) both_end = end;
    }
    // U* gives back what L+ needs.
    return both_end > 0 ? both_end : end;
  }

 private:
  uint32_t LowerEnd(uint32_t at) const {
    while (at < size()) {
      const Char next = At(at);
      if (!IsLower(next.value)) break;
      at += next.length;
    }
    return at;
  }

  const std::string_view text_;
  const uint8_t* const properties_;
};

// The end of an optional lead and a word, or `at` when there is none. A mark can be either.
uint32_t LedWordEnd(const CaseScan& scan, uint32_t at, CaseScan::Char first) {
  const bool may_lead = IsSymbol(first.value) || first.value == Case::kSpace;
  if (!may_lead) return scan.WordEnd(at);
  const uint32_t second = at + first.length;
  const uint32_t end = scan.WordEnd(second);
  if (first.value != Case::kMark) return end == second ? at : end;
  // As lead before a word with a lower part; else as that part, alone.
  uint32_t both_or_lower = second;
  for (uint32_t i = second; i < end;) {
    const CaseScan::Char next = scan.At(i);
    i += next.length;
    if (IsLower(next.value)) both_or_lower = i;
  }
  return both_or_lower > second ? end : second;
}

uint32_t SymbolsEnd(const CaseScan& scan, uint32_t at) {
  while (at < scan.size()) {
    const CaseScan::Char next = scan.At(at);
    if (!IsSymbol(next.value)) break;
    at += next.length;
  }
  while (at < scan.size() &&
         (scan.Byte(at) == '\r' || scan.Byte(at) == '\n' || scan.Byte(at) == '/')) {
    ++at;
  }
  return at;
}

uint32_t NumberEnd(const CaseScan& scan, uint32_t at, uint32_t count_max) {
  for (uint32_t count = 0; count < count_max && at < scan.size(); ++count) {
    const CaseScan::Char next = scan.At(at);
    if (next.value != Case::kNumber) break;
    at += next.length;
  }
  return at;
}

// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last newline of the run of spaces, if it has one.
uint32_t BlankEnd(std::string_view text, const CaseScan& scan, uint32_t begin) {
  uint32_t at = begin;
  uint32_t after_newline = 0;
  while (at < scan.size()) {
    const CaseScan::Char next = scan.At(at);
    if (!IsBlank(next.value)) break;
    at += next.length;
    if (next.value == Case::kNewline) after_newline = at;
  }
  return after_newline > 0 ? after_newline : SpaceRunEnd(text, begin, at);
}

}  // namespace

absl::Status CasedPattern::AppendMatches(std::string_view text, uint32_t base,
                                         std::vector<Piece>& matches) const {
  const CaseScan scan(text);
  for (uint32_t at = 0; at < scan.size();) {
    const CaseScan::Char first = scan.At(at);
    uint32_t end = at;
    if (first.value == Case::kNumber) {
      end = NumberEnd(scan, at, digits_max_);
    } else if (first.value == Case::kNewline) {
      end = BlankEnd(text, scan, at);
    } else if (end = LedWordEnd(scan, at, first); end > at) {
      if (contractions_ && end < scan.size() && scan.Byte(end) == '\'') {
        end += ContractionLength(text.substr(end, 4), true);
      }
    } else {
      const uint32_t symbols = text[at] == ' ' ? at + 1 : at;
      const bool has_symbol = symbols < scan.size() && IsSymbol(scan.At(symbols).value);
      end = has_symbol ? SymbolsEnd(scan, symbols) : BlankEnd(text, scan, at);
    }
    matches.push_back({base + at, base + end});
    at = end;
  }
  return absl::OkStatus();
}

}  // namespace baton
