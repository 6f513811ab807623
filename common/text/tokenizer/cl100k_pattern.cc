#include "common/text/tokenizer/cl100k_pattern.h"

#include "common/text/tokenizer/char_scan.h"

namespace baton {
namespace {

constexpr SplitClassTable kMarksAreLetters = [] {
  SplitClassTable table = internal::kClassOfProperties;
  for (uint32_t i = 0; i < 256; ++i) {
    if ((i & 0x1F) < 30 && CharProperties(static_cast<uint8_t>(i)).Is(kMarks)) {
      table[i] = SplitClass::kLetter;
    }
  }
  return table;
}();

uint32_t SkipNumbers(const CharScan& scan, uint32_t at, uint32_t count_max) {
  for (uint32_t count = 0; count < count_max && at < scan.size(); ++count) {
    const CharScan::Char next = scan.At(at);
    if (next.split_class != SplitClass::kNumber) break;
    at += next.length;
  }
  return at;
}

// `[^\s\p{L}\p{N}]+[\r\n]*` from `at`, which is past its first character.
uint32_t SkipSymbols(const CharScan& scan, uint32_t at) {
  at = scan.SkipRun(at, SplitClass::kOther);
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

uint32_t MatchEnd(std::string_view text, const CharScan& scan, uint32_t digits_max, uint32_t at) {
  const CharScan::Char first = scan.At(at);
  const uint32_t second = at + first.length;
  switch (first.split_class) {
    case SplitClass::kLetter:
      return scan.SkipRun(second, SplitClass::kLetter);
    case SplitClass::kNumber:
      return SkipNumbers(scan, second, digits_max - 1);
    case SplitClass::kNewline:
      return SpaceEnd(text, scan, at);
    case SplitClass::kOther:
      if (text[at] == '\'') {
        if (const uint32_t length = ContractionLength(text.substr(at, 3), true)) return at + length;
      }
      if (scan.Is(second, SplitClass::kLetter)) return scan.SkipRun(second, SplitClass::kLetter);
      return SkipSymbols(scan, second);
    case SplitClass::kSpace:
      if (second < scan.size()) {
        const CharScan::Char next = scan.At(second);
        if (next.split_class == SplitClass::kLetter) {
          return scan.SkipRun(second + next.length, SplitClass::kLetter);
        }
        if (text[at] == ' ' && next.split_class == SplitClass::kOther) {
          return SkipSymbols(scan, second + next.length);
        }
      }
      return SpaceEnd(text, scan, at);
  }
  return second;
}

}  // namespace

absl::Status Cl100kPattern::AppendMatches(std::string_view text, uint32_t base,
                                          std::vector<Piece>& matches) const {
  const CharScan scan(text, marks_ ? kMarksAreLetters : internal::kClassOfProperties);
  for (uint32_t at = 0; at < scan.size();) {
    const uint32_t end = MatchEnd(text, scan, digits_max_, at);
    matches.push_back({base + at, base + end});
    at = end;
  }
  return absl::OkStatus();
}

}  // namespace baton
