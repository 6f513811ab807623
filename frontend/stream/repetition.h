// Tells a model that goes round in circles: the same few tokens several times in a row.
//
// Threading: pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/ids.h"

namespace baton::frontend {

// Which repetitions end a choice. With a `pattern_max` of 0 none does.
struct RepetitionLimit {
  uint32_t pattern_min = 1;  // tokens that are repeated, at least and at most
  uint32_t pattern_max = 0;
  uint32_t count_min = 2;  // times in a row. REQUIRES: >= 2
};

// True if `ids` ends in a repetition. Looks at no more than pattern_max * count_min tokens for each
// length of pattern.
bool EndsInRepetition(std::span<const TokenId> ids, const RepetitionLimit& limit);

}  // namespace baton::frontend
