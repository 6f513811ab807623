#include "worker/kv/kv_group.h"

namespace baton::worker {

int32_t TableCount(absl::Span<const KvGroup> groups) {
  int32_t count = 0;
  for (const KvGroup& group : groups) count += group.parts;
  return count;
}

int32_t TableBlocksMax(const KvGroup& group, int32_t block_size, int32_t token_count,
                       int32_t step_tokens) {
  const int32_t all = (token_count - 1) / block_size + 1;
  if (group.window == 0) return all;
  // What the first query of a step sees besides itself, and the step; they may begin in mid-block.
  const int64_t tokens = int64_t{group.window} - 1 + std::min(step_tokens, token_count);
  const int64_t touched = (tokens + block_size - 2) / block_size + 1;
  return static_cast<int32_t>(std::min<int64_t>(all, touched));
}

int64_t BlocksMax(absl::Span<const KvGroup> groups, int32_t block_size, int32_t token_count,
                  int32_t step_tokens) {
  int64_t blocks = 0;
  for (const KvGroup& group : groups) {
    blocks += int64_t{group.parts} * TableBlocksMax(group, block_size, token_count, step_tokens);
  }
  return blocks;
}

}  // namespace baton::worker
