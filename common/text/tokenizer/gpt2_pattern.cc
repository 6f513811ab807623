#include "common/text/tokenizer/gpt2_pattern.h"

#include "common/text/tokenizer/char_scan.h"

namespace baton {
namespace {

bool IsSpace(SplitClass c) { return c == SplitClass::kSpace || c == SplitClass::kNewline; }

uint32_t SkipSpaces(const CharScan& scan, uint32_t at) {
  while (at < scan.size()) {
    const CharScan::Char next = scan.At(at);
    if (!IsSpace(next.split_class)) break;
    at += next.length;
  }
  return at;
}

// The end of the match at `at`; every position has one.
uint32_t MatchEnd(std::string_view text, const CharScan& scan, uint32_t at) {
  const CharScan::Char first = scan.At(at);
  if (text[at] == ' ' && at + 1 < scan.size()) {
    const CharScan::Char second = scan.At(at + 1);
    if (!IsSpace(second.split_class)) {
      return scan.SkipRun(at + 1 + second.length, second.split_class);
    }
  }
  if (IsSpace(first.split_class)) return SpaceRunEnd(text, at, SkipSpaces(scan, at));
  if (text[at] == '\'') {
    if (const uint32_t length = ContractionLength(text.substr(at, 3), false)) return at + length;
  }
  return scan.SkipRun(at + first.length, first.split_class);
}

}  // namespace

absl::Status Gpt2Pattern::AppendMatches(std::string_view text, uint32_t base,
                                        std::vector<Piece>& matches) const {
  const CharScan scan(text);
  for (uint32_t at = 0; at < scan.size();) {
    const uint32_t end = MatchEnd(text, scan, at);
    matches.push_back({base + at, base + end});
    at = end;
  }
  return absl::OkStatus();
}

}  // namespace baton
