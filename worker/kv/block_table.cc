#include "worker/kv/block_table.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace baton::worker {

BlockTable::BlockTable(BlockPool& pool, int32_t block_size) : pool_(pool), block_size_(block_size) {
  BATON_CHECK(block_size > 0) << "BlockTable: block_size=" << block_size;
}

bool BlockTable::Reserve(int32_t token_count) {
  return pool_.Extend(lease_, MissingBlocks(token_count));
}

int32_t BlockTable::MissingBlocks(int32_t token_count) const {
  return std::max(0, BlocksFor(token_count) - lease_.size());
}

void BlockTable::Adopt(BlockLease shared) {
  BATON_CHECK(empty()) << "BlockTable::Adopt: size=" << lease_.size();
  lease_ = std::move(shared);
}

}  // namespace baton::worker
