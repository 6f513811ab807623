// Hands out the ids of fixed-size KV blocks. Knows nothing about bytes, devices or tokens:
// KvStorage maps an id to memory, PrefixCache decides what is worth keeping.
//
//   std::optional<BlockLease> lease = pool.Acquire(4);   // released when `lease` dies
//   BlockLease same = lease->Share(2);                   // the first two, held twice now
//
// A block is held (by one lease or more) or free. Free blocks stand in one queue, threaded through
// their own descriptors: those without content at its front, kept ones behind in the order of their
// release. Acquire takes from the front, so what it takes was empty or has been idle the longest. A
// lease lets go of its last block first: of one sequence, the end is reclaimed before the
// beginning.
//
// Threading: owned by the engine thread; every call must come from it (DCHECKed).
// Ownership: the pool outlives its leases; destroying it with leases alive is a CHECK failure.
// Errors:    Acquire takes all that was asked for, or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/concurrency/thread_checker.h"

namespace baton::worker {

class BlockPool;

// References to blocks, in order; each is given back when the lease dies.
class BlockLease {
 public:
  BlockLease() = default;
  BlockLease(BlockLease&& other) noexcept;
  BlockLease& operator=(BlockLease&& other) noexcept;
  ~BlockLease() { Reset(); }

  absl::Span<const BlockId> ids() const { return ids_; }
  int32_t size() const { return static_cast<int32_t>(ids_.size()); }
  bool empty() const { return ids_.empty(); }

  // Another lease on the first `count` blocks, or on block `index` alone.
  BlockLease Share(int32_t count) const;
  BlockLease ShareOne(int32_t index) const;

  // Moves the other lease's blocks behind this one's.
  void Append(BlockLease other);

  // Holds `block`, which is held or kept, in the place of block `index`, and gives that one back.
  void Exchange(int32_t index, BlockId block);

  // Moves the first `count` blocks into a lease of their own.
  BlockLease TakeFirst(int32_t count);

  // Gives the last block back.
  void DropLast();

  // Gives everything back, the last block first.
  void Reset();

 private:
  friend class BlockPool;

  BlockPool* pool_ = nullptr;
  std::vector<BlockId> ids_;
};

// Told when the content of a kept block is about to be lost.
class BlockKeeper {
 public:
  virtual ~BlockKeeper() = default;
  virtual void OnReclaim(BlockId block) = 0;
};

class BlockPool {
 public:
  // REQUIRES: block_count > 0.
  explicit BlockPool(int32_t block_count);
  ~BlockPool();

  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Takes `count` free blocks or none. REQUIRES: count >= 0.
  std::optional<BlockLease> Acquire(int32_t count);

  // The same, behind the blocks of `lease`; false leaves it unchanged.
  [[nodiscard]] bool Extend(BlockLease& lease, int32_t count);

  // References to blocks by id: held ones, or kept ones, which leave the queue.
  BlockLease Hold(absl::Span<const BlockId> blocks);

  // Marks the content of a held block as worth keeping; `keeper` hears of its end.
  void Keep(BlockId block, BlockKeeper& keeper);

  int32_t block_count() const { return block_count_; }
  // Free, kept ones included: what Acquire can give.
  int32_t free_count() const { return free_count_; }
  // Held by a lease.
  int32_t held_count() const { return block_count_ - free_count_; }
  int32_t reference_count(BlockId block) const { return At(block).references; }
  // Held once and not kept: nobody else reads it, now or later, so its holder may write to it.
  bool exclusive(BlockId block) const {
    return At(block).references == 1 && At(block).keeper == nullptr;
  }

  // Walks the queue and recounts; O(blocks). Called by tests, and when the engine is idle.
  void CheckIntegrity() const;

 private:
  friend class BlockLease;

  struct Descriptor {
    int32_t references = 0;
    BlockKeeper* keeper = nullptr;  // set while the content is kept
    int32_t previous = 0;           // in the queue, while free
    int32_t next = 0;
  };

  Descriptor& At(BlockId block);
  const Descriptor& At(BlockId block) const;
  BlockId TakeFront();
  void AddReference(BlockId block);
  void Release(BlockId block);
  void Unlink(int32_t index);
  void LinkBefore(int32_t index, int32_t successor);

  const int32_t block_count_;
  const ThreadChecker engine_thread_;

  // Engine-thread state. descriptors_[block_count_] is the queue's sentinel.
  std::vector<Descriptor> descriptors_;
  int32_t free_count_ = 0;
};

}  // namespace baton::worker
