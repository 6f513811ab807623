#include "frontend/chat/python_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace baton::frontend::internal {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};
// Every `step`-th code point of [first, last] maps to itself plus `delta`.
struct CaseRange {
  char32_t first;
  char32_t last;
  uint8_t step;
  int32_t delta;
};
// A letter whose mapping is several letters.
struct CaseExpansion {
  char32_t code_point;
  const char* text;
};

#include "frontend/chat/unicode_case.inc"

constexpr char32_t kCapitalSigma = 0x3A3;

bool IsAsciiUpper(char32_t c) { return c >= 'A' && c <= 'Z'; }
bool IsAsciiLower(char32_t c) { return c >= 'a' && c <= 'z'; }

// The range that has `c`, or null.
template <size_t N>
const CodeRange* Find(const CodeRange (&ranges)[N], char32_t c) {
  const CodeRange* range = std::lower_bound(
      ranges, ranges + N, c, [](const CodeRange& r, char32_t value) { return r.last < value; });
  return range != ranges + N && range->first <= c ? range : nullptr;
}

template <size_t N>
bool In(const CodeRange (&ranges)[N], char32_t c) {
  return Find(ranges, c) != nullptr;
}

template <size_t N, size_t M>
void AppendMapped(std::string& out, char32_t c, const CaseRange (&ranges)[N],
                  const CaseExpansion (&expansions)[M]) {
  if (c < 0x80 && !IsAsciiUpper(c) && !IsAsciiLower(c)) {
    out.push_back(static_cast<char>(c));
    return;
  }
  const CaseExpansion* expansion =
      std::lower_bound(expansions, expansions + M, c,
                       [](const CaseExpansion& e, char32_t value) { return e.code_point < value; });
  if (expansion != expansions + M && expansion->code_point == c) {
    out.append(expansion->text);
    return;
  }
  const CaseRange* range = std::lower_bound(
      ranges, ranges + N, c, [](const CaseRange& r, char32_t value) { return r.last < value; });
  if (range != ranges + N && range->first <= c && (c - range->first) % range->step == 0) {
    c = static_cast<char32_t>(static_cast<int64_t>(c) + range->delta);
  }
  AppendCodePoint(out, c);
}

bool IsCased(char32_t c) { return IsUppercase(c) || IsLowercase(c) || IsTitlecase(c); }

// A capital sigma ends a word: a cased letter before it and none after it.
bool IsFinalSigma(std::string_view text, size_t at) {
  size_t before = at;
  while (before > 0 && (static_cast<unsigned char>(text[before - 1]) & 0xC0u) == 0x80u) --before;
  if (before == 0) return false;
  --before;
  while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xC0u) == 0x80u) --before;
  if (!IsCased(CodePointAt(text, before))) return false;
  const size_t after = at + SequenceLength(text, at);
  return after >= text.size() || !IsCased(CodePointAt(text, after));
}

void AppendLower(std::string& out, std::string_view text, size_t at) {
  const char32_t c = CodePointAt(text, at);
  if (c == kCapitalSigma) {
    AppendCodePoint(out, IsFinalSigma(text, at) ? 0x3C2 : 0x3C3);
  } else {
    AppendMapped(out, c, kToLower, kToLowerText);
  }
}

bool InSet(std::string_view set, std::string_view code_point) {
  for (size_t at = 0; at < set.size(); at += SequenceLength(set, at)) {
    if (set.substr(at, SequenceLength(set, at)) == code_point) return true;
  }
  return false;
}

size_t LastStart(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
  return at;
}

}  // namespace

size_t SequenceLength(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t wanted = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  size_t length = 1;
  while (length < wanted && at + length < text.size() &&
         (static_cast<unsigned char>(text[at + length]) & 0xC0u) == 0x80u) {
    ++length;
  }
  return length;
}

char32_t CodePointAt(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = SequenceLength(text, at);
  if (length == 1) return lead;
  char32_t c = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  }
  return c;
}

void AppendCodePoint(std::string& text, char32_t c) {
  const auto byte = [&text](char32_t value) { text.push_back(static_cast<char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

size_t ByteOffset(std::string_view text, size_t index) {
  for (size_t at = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u;
    if (begins && index-- == 0) return at;
  }
  return text.size();
}

bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

size_t FindText(std::string_view text, std::string_view wanted, size_t from) {
  constexpr size_t kShortBytes = 32;  // the standard search is quadratic, and faster on these
  if (wanted.size() <= kShortBytes || from > text.size()) return text.find(wanted, from);
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

bool IsSpace(char32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsPrintable(char32_t c) { return c < 0x7F ? c >= 0x20 : In(kPrintable, c); }
bool IsAlphabetic(char32_t c) {
  return c < 0x80 ? IsAsciiUpper(c) || IsAsciiLower(c) : In(kAlphabetic, c);
}
bool IsDecimal(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : In(kDecimal, c); }
// Ranges of decimals begin with a zero and have whole tens.
int DecimalValue(char32_t c) { return static_cast<int>((c - Find(kDecimal, c)->first) % 10); }
bool IsDigit(char32_t c) { return IsDecimal(c) || In(kDigit, c); }
bool IsNumeric(char32_t c) { return IsDigit(c) || In(kNumeric, c); }
bool IsAlphanumeric(char32_t c) { return IsAlphabetic(c) || IsNumeric(c); }
bool IsWordLetter(char32_t c) { return c == '_' || IsAlphanumeric(c); }
bool IsUppercase(char32_t c) { return c < 0x80 ? IsAsciiUpper(c) : In(kUppercase, c); }
bool IsLowercase(char32_t c) { return c < 0x80 ? IsAsciiLower(c) : In(kLowercase, c); }
bool IsTitlecase(char32_t c) { return c >= 0x80 && In(kTitlecase, c); }
bool BeginsIdentifier(char32_t c) { return In(kIdentifierStart, c); }
bool ContinuesIdentifier(char32_t c) { return BeginsIdentifier(c) || In(kIdentifierMark, c); }

std::string_view StripLeft(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (!IsSpace(byte < 0x80 ? byte : CodePointAt(text, at))) break;
    at += byte < 0x80 ? 1 : SequenceLength(text, at);
  }
  return text.substr(at);
}

std::string_view StripRight(std::string_view text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.back());
    const size_t last = byte < 0x80 ? text.size() - 1 : LastStart(text);
    if (!IsSpace(byte < 0x80 ? byte : CodePointAt(text, last))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string_view StripLeft(std::string_view text, std::string_view set) {
  while (!text.empty() && InSet(set, text.substr(0, SequenceLength(text, 0)))) {
    text.remove_prefix(SequenceLength(text, 0));
  }
  return text;
}

std::string_view StripRight(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    const size_t last = LastStart(text);
    if (!InSet(set, text.substr(last))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string Upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    AppendMapped(out, CodePointAt(text, at), kToUpper, kToUpperText);
  }
  return out;
}

std::string Lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) AppendLower(out, text, at);
  return out;
}

std::string Title(std::string_view text) {
  std::string out;
  bool in_word = false;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    if (in_word) {
      AppendLower(out, text, at);
    } else {
      AppendMapped(out, c, kToTitle, kToTitleText);
    }
    in_word = IsCased(c);
  }
  return out;
}

std::string Capitalize(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    if (at == 0) {
      AppendMapped(out, CodePointAt(text, at), kToTitle, kToTitleText);
    } else {
      AppendLower(out, text, at);
    }
  }
  return out;
}

std::string CaseFold(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    AppendMapped(out, CodePointAt(text, at), kToFolded, kToFoldedText);
  }
  return out;
}

std::string SwapCase(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    if (IsUppercase(c)) {
      AppendLower(out, text, at);
    } else if (IsLowercase(c)) {
      AppendMapped(out, c, kToUpper, kToUpperText);
    } else {
      AppendCodePoint(out, c);
    }
  }
  return out;
}

}  // namespace baton::frontend::internal
