#include "worker/kv/block_pool.h"

#include <cstddef>
#include <utility>

#include "common/base/check.h"

namespace baton::worker {

BlockLease::BlockLease(BlockLease&& other) noexcept
    : pool_(other.pool_), ids_(std::move(other.ids_)) {
  other.ids_.clear();
}

BlockLease& BlockLease::operator=(BlockLease&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  pool_ = other.pool_;
  ids_ = std::move(other.ids_);
  other.ids_.clear();
  return *this;
}

BlockLease BlockLease::Share(int32_t count) const {
  BATON_CHECK(count >= 0 && count <= size()) << "BlockLease::Share: count=" << count;
  if (count == 0) return {};
  return pool_->Hold(ids().first(static_cast<size_t>(count)));
}

BlockLease BlockLease::ShareOne(int32_t index) const {
  BATON_CHECK(index >= 0 && index < size()) << "BlockLease::ShareOne: index=" << index;
  return pool_->Hold(ids().subspan(static_cast<size_t>(index), 1));
}

void BlockLease::Append(BlockLease other) {
  if (other.empty()) return;
  BATON_CHECK(pool_ == nullptr || pool_ == other.pool_) << "BlockLease::Append: another pool's";
  pool_ = other.pool_;
  ids_.insert(ids_.end(), other.ids_.begin(), other.ids_.end());
  other.ids_.clear();
}

void BlockLease::Exchange(int32_t index, BlockId block) {
  BATON_CHECK(index >= 0 && index < size()) << "BlockLease::Exchange: index=" << index;
  pool_->AddReference(block);
  pool_->Release(std::exchange(ids_[static_cast<size_t>(index)], block));
}

BlockLease BlockLease::TakeFirst(int32_t count) {
  BATON_CHECK(count >= 0 && count <= size()) << "BlockLease::TakeFirst: count=" << count;
  BlockLease first;
  first.pool_ = pool_;
  first.ids_.assign(ids_.begin(), ids_.begin() + count);
  ids_.erase(ids_.begin(), ids_.begin() + count);
  return first;
}

void BlockLease::DropLast() {
  BATON_CHECK(!empty()) << "BlockLease::DropLast: empty";
  pool_->Release(ids_.back());
  ids_.pop_back();
}

void BlockLease::Reset() {
  while (!ids_.empty()) DropLast();
}

BlockPool::BlockPool(int32_t block_count)
    : block_count_(block_count), descriptors_(static_cast<size_t>(block_count) + 1) {
  BATON_CHECK(block_count > 0) << "BlockPool: block_count=" << block_count;
  Descriptor& sentinel = descriptors_.back();
  sentinel.previous = sentinel.next = block_count;
  for (int32_t index = 0; index < block_count; ++index) LinkBefore(index, block_count);
}

BlockPool::~BlockPool() { BATON_CHECK(held_count() == 0) << "~BlockPool: held=" << held_count(); }

BlockPool::Descriptor& BlockPool::At(BlockId block) {
  BATON_CHECK(block.value() >= 0 && block.value() < block_count_)
      << "BlockPool: block=" << block.value();
  return descriptors_[static_cast<size_t>(block.value())];
}

const BlockPool::Descriptor& BlockPool::At(BlockId block) const {
  return const_cast<BlockPool*>(this)->At(block);
}

void BlockPool::LinkBefore(int32_t index, int32_t successor) {
  Descriptor& after = descriptors_[static_cast<size_t>(successor)];
  Descriptor& self = descriptors_[static_cast<size_t>(index)];
  self.previous = after.previous;
  self.next = successor;
  descriptors_[static_cast<size_t>(after.previous)].next = index;
  after.previous = index;
  ++free_count_;
}

void BlockPool::Unlink(int32_t index) {
  const Descriptor& self = descriptors_[static_cast<size_t>(index)];
  descriptors_[static_cast<size_t>(self.previous)].next = self.next;
  descriptors_[static_cast<size_t>(self.next)].previous = self.previous;
  --free_count_;
}

std::optional<BlockLease> BlockPool::Acquire(int32_t count) {
  BlockLease lease;
  if (!Extend(lease, count)) return std::nullopt;
  return lease;
}

bool BlockPool::Extend(BlockLease& lease, int32_t count) {
  BATON_DCHECK(engine_thread_.CalledOnOwner());
  BATON_CHECK(count >= 0) << "BlockPool::Extend: count=" << count;
  BATON_CHECK(lease.pool_ == nullptr || lease.pool_ == this) << "BlockPool: another pool's lease";
  if (count > free_count_) return false;
  lease.pool_ = this;
  for (int32_t i = 0; i < count; ++i) lease.ids_.push_back(TakeFront());
  return true;
}

BlockId BlockPool::TakeFront() {
  const int32_t index = descriptors_.back().next;
  Descriptor& self = descriptors_[static_cast<size_t>(index)];
  Unlink(index);
  self.references = 1;
  if (BlockKeeper* keeper = std::exchange(self.keeper, nullptr); keeper != nullptr) {
    keeper->OnReclaim(BlockId(index));
  }
  return BlockId(index);
}

BlockLease BlockPool::Hold(absl::Span<const BlockId> blocks) {
  BATON_DCHECK(engine_thread_.CalledOnOwner());
  BlockLease lease;
  lease.pool_ = this;
  lease.ids_.reserve(blocks.size());
  for (BlockId block : blocks) {
    AddReference(block);
    lease.ids_.push_back(block);
  }
  return lease;
}

void BlockPool::AddReference(BlockId block) {
  Descriptor& self = At(block);
  if (self.references == 0) {
    BATON_CHECK(self.keeper != nullptr) << "BlockPool::Hold: empty block=" << block.value();
    Unlink(block.value());
  }
  ++self.references;
}

void BlockPool::Keep(BlockId block, BlockKeeper& keeper) {
  Descriptor& self = At(block);
  BATON_CHECK(self.references > 0 && self.keeper == nullptr)
      << "BlockPool::Keep: block=" << block.value() << " references=" << self.references;
  self.keeper = &keeper;
}

void BlockPool::Release(BlockId block) {
  BATON_DCHECK(engine_thread_.CalledOnOwner());
  Descriptor& self = At(block);
  BATON_CHECK(self.references > 0) << "BlockPool::Release: block=" << block.value();
  if (--self.references > 0) return;
  // Nothing is lost with an empty block: it goes to the front of the queue.
  LinkBefore(block.value(), self.keeper != nullptr ? block_count_ : descriptors_.back().next);
}

void BlockPool::CheckIntegrity() const {
  int32_t queued = 0;
  bool kept_seen = false;
  for (int32_t index = descriptors_.back().next; index != block_count_;) {
    const Descriptor& self = At(BlockId(index));
    BATON_CHECK(self.references == 0) << "queued and held: block=" << index;
    BATON_CHECK(descriptors_[static_cast<size_t>(self.next)].previous == index)
        << "torn queue: block=" << index;
    BATON_CHECK(!kept_seen || self.keeper != nullptr) << "empty behind kept: block=" << index;
    kept_seen = self.keeper != nullptr;
    BATON_CHECK(++queued <= block_count_) << "queue is a loop";
    index = self.next;
  }
  BATON_CHECK(queued == free_count_) << "queued=" << queued << " counted=" << free_count_;
  int32_t held = 0;
  for (int32_t index = 0; index < block_count_; ++index) {
    held += static_cast<int32_t>(At(BlockId(index)).references > 0);
  }
  BATON_CHECK(held + queued == block_count_) << "held=" << held << " free=" << queued;
}

}  // namespace baton::worker
