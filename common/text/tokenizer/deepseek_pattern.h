// The last of the three splits of DeepSeek V3 and R1.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {

// With A for ASCII punctuation and symbols:
// A[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
// Numbers, controls and unassigned characters before no word match nothing.
class DeepSeekPattern : public SplitPattern {
 public:
  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override;
};

}  // namespace baton
