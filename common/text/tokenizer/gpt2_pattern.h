// The split of GPT-2, which SmolLM, StarCoder, Falcon and others build on.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class Gpt2Pattern : public SplitPattern {
 public:
  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override;
};

}  // namespace baton
