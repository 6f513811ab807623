#include "frontend/stream/repetition.h"

#include <algorithm>

namespace baton::frontend {
namespace {

// The last `size * count` tokens are one pattern, `count` times: each equals the one `size` later.
bool IsRepeated(std::span<const TokenId> ids, size_t size, size_t count) {
  const std::span<const TokenId> tail = ids.last(size * count);
  return std::equal(tail.begin() + static_cast<std::ptrdiff_t>(size), tail.end(), tail.begin());
}

}  // namespace

bool EndsInRepetition(std::span<const TokenId> ids, const RepetitionLimit& limit) {
  const size_t first = std::max<size_t>(limit.pattern_min, 1);
  const size_t longest = ids.size() / limit.count_min;
  for (size_t size = first; size <= std::min<size_t>(limit.pattern_max, longest); ++size) {
    if (IsRepeated(ids, size, limit.count_min)) return true;
  }
  return false;
}

}  // namespace baton::frontend
