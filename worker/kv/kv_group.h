// Layers that need the same of the past, and therefore share the fate of their blocks: those that
// attend to everything, those that see a window of one size.
//
// All blocks of a worker are of one size, so that any of them may serve any group. A group with
// more layers than a block has room for takes several blocks for the same tokens, its parts. Each
// part has a table of its own in every sequence; tables are numbered through all groups.
//
// Threading: plain values and pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"

namespace baton::worker {

struct KvGroup {
  int32_t window = 0;  // positions that a query sees, its own included; 0: all
  int32_t parts = 1;   // blocks that block_size tokens take

  // The first position that a query at `position` sees.
  int32_t SeenFrom(int32_t position) const {
    return window == 0 ? 0 : std::max(0, position - window + 1);
  }

  friend bool operator==(const KvGroup&, const KvGroup&) = default;
};

using KvGroups = std::vector<KvGroup>;

// Stands in a table where a block was that nobody sees any more.
inline constexpr BlockId kNoBlock = BlockId(-1);

// The tables of a sequence.
int32_t TableCount(absl::Span<const KvGroup> groups);

// The most blocks of one table that a sequence of `token_count` tokens holds at once, when it is
// computed in steps of at most `step_tokens`. REQUIRES: all positive.
int32_t TableBlocksMax(const KvGroup& group, int32_t block_size, int32_t token_count,
                       int32_t step_tokens);

// The same of all tables.
int64_t BlocksMax(absl::Span<const KvGroup> groups, int32_t block_size, int32_t token_count,
                  int32_t step_tokens);

}  // namespace baton::worker
