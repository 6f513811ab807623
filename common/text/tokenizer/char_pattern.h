// Single characters of a class as a pattern.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"
#include "common/text/unicode/utf8.h"

namespace baton {

class CharPattern : public SplitPattern {
 public:
  using Predicate = bool (*)(char32_t code);
  explicit CharPattern(Predicate predicate) : predicate_(predicate) {}

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override {
    for (uint32_t at = 0; at < text.size();) {
      const Utf8Char next = DecodeChar(text.substr(at));
      if (predicate_(next.code)) matches.push_back({base + at, base + at + next.length});
      at += next.length;
    }
    return absl::OkStatus();
  }

 private:
  const Predicate predicate_;
};

}  // namespace baton
