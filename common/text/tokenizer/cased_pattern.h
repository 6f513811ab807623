// The splits that look at the case of letters: o200k (GPT-4o, gpt-oss, Llama 4) and Mistral's
// tekken.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {

// With U for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and L for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`:
// [^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?U+L*(?i:…)?|\p{N}{1,DIGITS}|
//  ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
class CasedPattern : public SplitPattern {
 public:
  // Tekken takes digits one by one and knows no contractions.
  CasedPattern(uint32_t digits_max, bool contractions)
      : digits_max_(digits_max), contractions_(contractions) {}

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override;

 private:
  const uint32_t digits_max_;
  const bool contractions_;
};

}  // namespace baton
