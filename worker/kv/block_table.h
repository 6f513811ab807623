// Maps the positions of one sequence to blocks: the lease on its cache, in units of tokens.
//
//   BlockTable table(pool, block_size);
//   if (!table.Reserve(computed + chunk)) Preempt();      // all of it, or unchanged
//
// Threading: owned by the engine thread. Ownership: holds references; the pool outlives it.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "worker/kv/block_pool.h"

namespace baton::worker {

class BlockTable {
 public:
  // REQUIRES: block_size > 0.
  BlockTable(BlockPool& pool, int32_t block_size);

  // Grows to hold `token_count` tokens, or returns false and is unchanged. Never shrinks.
  [[nodiscard]] bool Reserve(int32_t token_count);

  // How many more blocks Reserve(token_count) would take.
  int32_t MissingBlocks(int32_t token_count) const;

  // Starts with blocks that others computed. REQUIRES: empty().
  void Adopt(BlockLease shared);

  // Continues with a block that another sequence has begun. REQUIRES: it is exclusive.
  void Append(BlockLease begun) { lease_.Append(std::move(begun)); }

  // Goes on with an equal block in the place of its own one.
  void Exchange(int32_t index, BlockId block) { lease_.Exchange(index, block); }

  // Gives all blocks back.
  void Clear() { lease_.Reset(); }

  // Blocks that hold positions [0, token_count).
  int32_t BlocksFor(int32_t token_count) const {
    return (token_count + block_size_ - 1) / block_size_;
  }

  bool empty() const { return lease_.empty(); }
  int32_t block_size() const { return block_size_; }
  absl::Span<const BlockId> ids() const { return lease_.ids(); }
  const BlockLease& lease() const { return lease_; }

 private:
  BlockPool& pool_;
  const int32_t block_size_;
  BlockLease lease_;
};

}  // namespace baton::worker
