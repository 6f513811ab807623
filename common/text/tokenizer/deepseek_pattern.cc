#include "common/text/tokenizer/deepseek_pattern.h"

#include <array>

#include "common/text/tokenizer/char_scan.h"

namespace baton {
namespace {

// Letters include marks, other is punctuation and symbols, number all the rest.
constexpr SplitClassTable kClasses = [] {
  SplitClassTable table{};
  for (uint32_t i = 0; i < 256; ++i) {
    table[i] = SplitClass::kNumber;
    if ((i & 0x1F) >= 30) continue;
    const CharProperties properties(static_cast<uint8_t>(i));
    if (properties.Is(kLetters | kMarks)) table[i] = SplitClass::kLetter;
    if (properties.Is(kPunctuation | kSymbols)) table[i] = SplitClass::kOther;
    if (properties.white_space()) table[i] = SplitClass::kSpace;
  }
  return table;
}();

bool IsAsciiLetter(unsigned char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// Controls are no symbols, which the general table for ASCII does not tell.
bool IsAsciiControl(unsigned char c) { return c < 0x20 || c == 0x7F; }

SplitClass ClassAt(const CharScan& scan, uint32_t at) {
  const SplitClass value = scan.At(at).split_class;
  return value == SplitClass::kOther && IsAsciiControl(scan.Byte(at)) ? SplitClass::kNumber : value;
}

uint32_t SymbolsEnd(const CharScan& scan, uint32_t at) {
  while (at < scan.size() && ClassAt(scan, at) == SplitClass::kOther) at += scan.At(at).length;
  while (at < scan.size() && (scan.Byte(at) == '\r' || scan.Byte(at) == '\n')) ++at;
  return at;
}

// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last newline of the run of spaces, if it has one.
uint32_t SpaceEnd(std::string_view text, const CharScan& scan, uint32_t begin) {
  uint32_t at = begin;
  uint32_t after_newline = 0;
  while (at < scan.size()) {
    const CharScan::Char next = scan.At(at);
    if (next.split_class != SplitClass::kSpace && next.split_class != SplitClass::kNewline) break;
    at += next.length;
    if (next.split_class == SplitClass::kNewline) after_newline = at;
  }
  return after_newline > 0 ? after_newline : SpaceRunEnd(text, begin, at);
}

// The end of a match at `at`, or `at` when there is none.
uint32_t MatchEnd(std::string_view text, const CharScan& scan, uint32_t at) {
  const SplitClass first = ClassAt(scan, at);
  const uint32_t second = at + scan.At(at).length;
  const auto is = [&](uint32_t where, SplitClass wanted) {
    return where < scan.size() && ClassAt(scan, where) == wanted;
  };
  switch (first) {
    case SplitClass::kLetter:
      return scan.SkipRun(second, SplitClass::kLetter);
    case SplitClass::kNewline:
      return SpaceEnd(text, scan, at);
    case SplitClass::kOther:
      if (scan.Byte(at) < 0x80 && second < scan.size() && IsAsciiLetter(scan.Byte(second))) {
        uint32_t end = second;
        while (end < scan.size() && IsAsciiLetter(scan.Byte(end))) ++end;
        return end;
      }
      return SymbolsEnd(scan, second);
    case SplitClass::kSpace:
    case SplitClass::kNumber:
      if (is(second, SplitClass::kLetter)) return scan.SkipRun(second, SplitClass::kLetter);
      if (first == SplitClass::kNumber) return at;
      if (text[at] == ' ' && is(second, SplitClass::kOther)) return SymbolsEnd(scan, second);
      return SpaceEnd(text, scan, at);
  }
  return at;
}

}  // namespace

absl::Status DeepSeekPattern::AppendMatches(std::string_view text, uint32_t base,
                                            std::vector<Piece>& matches) const {
  const CharScan scan(text, kClasses);
  for (uint32_t at = 0; at < scan.size();) {
    const uint32_t end = MatchEnd(text, scan, at);
    if (end == at) {
      at += scan.At(at).length;
      continue;
    }
    matches.push_back({base + at, base + end});
    at = end;
  }
  return absl::OkStatus();
}

}  // namespace baton
