#include "worker/kv/block_table.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "worker/kv/kv_group.h"

namespace baton::worker {

BlockTable::BlockTable(BlockPool& pool, int32_t block_size) : pool_(pool), block_size_(block_size) {
  BATON_CHECK(block_size > 0) << "BlockTable: block_size=" << block_size;
}

bool BlockTable::Reserve(int32_t token_count) {
  return pool_.Extend(lease_, MissingBlocks(token_count));
}

int32_t BlockTable::MissingBlocks(int32_t token_count) const {
  return std::max(0, BlocksFor(token_count) - end_block());
}

void BlockTable::Adopt(BlockLease shared, int32_t first_block) {
  BATON_CHECK(empty()) << "BlockTable::Adopt: size=" << lease_.size();
  lease_ = std::move(shared);
  first_block_ = first_block;
}

void BlockTable::ReleaseBefore(int32_t index) {
  const int32_t count = std::min(index - first_block_, lease_.size());
  if (count <= 0) return;
  BlockLease released = lease_.TakeFirst(count);
  first_block_ += count;
}

void BlockTable::Clear() {
  lease_.Reset();
  first_block_ = 0;
}

void BlockTable::AppendTo(int32_t count, std::vector<BlockId>& blocks) const {
  BATON_CHECK(count <= end_block()) << "BlockTable: blocks=" << end_block() << "/" << count;
  const int32_t gap = std::min(first_block_, count);
  blocks.insert(blocks.end(), static_cast<size_t>(gap), kNoBlock);
  const auto held = ids().first(static_cast<size_t>(count - gap));
  blocks.insert(blocks.end(), held.begin(), held.end());
}

}  // namespace baton::worker
