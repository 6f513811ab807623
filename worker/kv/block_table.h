// Maps the positions of one sequence to blocks: the lease on its cache, in units of tokens.
//
//   BlockTable table(pool, block_size);
//   if (!table.Reserve(computed + chunk)) Preempt();      // all of it, or unchanged
//   table.ReleaseBefore(3);                               // blocks 0, 1 and 2 are not needed now
//
// Blocks are counted from position 0, also where the first ones have been released.
//
// Threading: owned by the engine thread. Ownership: holds references; the pool outlives it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

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

  // Starts with blocks that others computed, of which the first is number `first_block`. REQUIRES:
  // empty().
  void Adopt(BlockLease shared, int32_t first_block = 0);

  // Continues with a block that another sequence has begun. REQUIRES: it is exclusive.
  void Append(BlockLease begun) { lease_.Append(std::move(begun)); }

  // Goes on with an equal block in the place of its own one. REQUIRES: index >= first_block().
  void Exchange(int32_t index, BlockId block) { lease_.Exchange(index - first_block_, block); }

  // Gives back all blocks before block `index`, if they are there.
  void ReleaseBefore(int32_t index);

  // Gives the last block back. REQUIRES: !empty().
  void DropLast() { lease_.DropLast(); }

  // Gives all blocks back.
  void Clear();

  // Blocks that hold positions [0, token_count).
  int32_t BlocksFor(int32_t token_count) const {
    return (token_count + block_size_ - 1) / block_size_;
  }

  bool empty() const { return lease_.empty(); }
  int32_t block_size() const { return block_size_; }
  // The number of the first block that is held, and of the one behind the last.
  int32_t first_block() const { return first_block_; }
  int32_t end_block() const { return first_block_ + lease_.size(); }
  // The blocks that are held: the first of them is number first_block().
  absl::Span<const BlockId> ids() const { return lease_.ids(); }
  // REQUIRES: first_block() <= index < end_block().
  BlockId At(int32_t index) const {
    return lease_.ids()[static_cast<size_t>(index - first_block_)];
  }
  const BlockLease& lease() const { return lease_; }

  // Appends blocks [0, count) to a plan, with kNoBlock for those released.
  void AppendTo(int32_t count, std::vector<BlockId>& blocks) const;

 private:
  BlockPool& pool_;
  const int32_t block_size_;
  int32_t first_block_ = 0;
  BlockLease lease_;
};

}  // namespace baton::worker
