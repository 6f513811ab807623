// Which workers hold which block: block hash → a set of worker slots.
//
// Slots are small integers that the worker table hands out. A worker that holds block k of a chain
// holds its blocks 0…k−1 too (it evicts leaves first), so one walk from the front gives the matched
// length of every worker at once.
//
//   index.Store(slot, hashes);
//   std::vector<uint32_t> matched = index.Match(prompt_hashes, slot_count);   // blocks per slot
//
// The table is open-addressed, one per 64 slots: 16 bytes an entry, whatever the number of holders.
//
// Threading: one writer (Store, Remove, Clear); Match is lock-free on any thread, and may see a
//            write of the same moment or not. Growth publishes a new table; readers keep the old
//            one.
// Ownership: owns its tables; a reader shares the one it walks.
// Errors:    at `entries_max` a Store keeps what it has and counts the rest as dropped: such blocks
//            merely look uncached.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/base/ids.h"
#include "common/concurrency/snapshot.h"

namespace baton::router {

class PrefixIndex {
 public:
  // `entries_max`: distinct blocks per group of 64 slots.
  explicit PrefixIndex(size_t entries_max);
  ~PrefixIndex();

  PrefixIndex(const PrefixIndex&) = delete;
  PrefixIndex& operator=(const PrefixIndex&) = delete;

  // Writer.
  void Store(uint32_t slot, std::span<const uint64_t> hashes);
  void Remove(uint32_t slot, std::span<const uint64_t> hashes);
  void Clear(uint32_t slot);

  // For each slot below `slot_count`: how many leading blocks of `chain` it holds.
  std::vector<uint32_t> Match(std::span<const uint64_t> chain, uint32_t slot_count) const;

  // Distinct blocks held by anybody, and blocks not indexed for lack of room. Writer's view.
  size_t entry_count() const;
  uint64_t dropped_total() const { return dropped_total_; }

 private:
  class Table;
  struct Group;

  Group& GroupOf(uint32_t slot);
  static void Rebuild(Group& group);

  const size_t entries_max_;
  // Written by the writer; the list grows by publishing a longer one.
  Snapshot<std::vector<std::shared_ptr<Group>>> groups_;
  uint64_t dropped_total_ = 0;
};

}  // namespace baton::router
