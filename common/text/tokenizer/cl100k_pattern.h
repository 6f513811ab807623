// The split of cl100k and its relatives: Llama 3, Qwen 2 and 3, GLM 4.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,DIGITS}|
//  ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
class Cl100kPattern : public SplitPattern {
 public:
  // `digits_max`: 3 for Llama 3, 1 for Qwen. `marks`: they count as letters (Qwen 3.5).
  explicit Cl100kPattern(uint32_t digits_max, bool marks = false)
      : digits_max_(digits_max), marks_(marks) {}

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override;

 private:
  const uint32_t digits_max_;
  const bool marks_;
};

}  // namespace baton
