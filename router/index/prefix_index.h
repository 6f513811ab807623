// Which workers hold which block: block hash → a set of worker slots.
//
// Slots are small integers that the worker table hands out. A worker that holds block k of a chain
// holds its blocks 0…k−1 too (it evicts leaves first), so one walk from the front gives the matched
// length of every worker at once.
//
//   index.Store(slot, hashes);
//   std::vector<uint32_t> matched = index.Match(prompt_hashes, slot_count);   // blocks per slot
//
// That is so in a KV group that attends to everything. Layers with a window keep the last blocks
// without the first; a hash that they hold is another key. What such a worker can use is the
// longest prefix whose end every window has its blocks of:
//
//   index.Store(slot, hashes, /*window=*/512);
//   uint32_t usable = index.MatchWindows(prompt_hashes, {slot, block_size, {512}, matched[slot]});
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

  // Writer. `window`: of the KV group that holds them; 0: it attends to everything.
  void Store(uint32_t slot, std::span<const uint64_t> hashes, uint32_t window = 0);
  void Remove(uint32_t slot, std::span<const uint64_t> hashes, uint32_t window = 0);
  void Clear(uint32_t slot);

  // For each slot below `slot_count`: how many leading blocks of `chain` it holds.
  std::vector<uint32_t> Match(std::span<const uint64_t> chain, uint32_t slot_count) const;

  struct WindowQuery {
    uint32_t slot = 0;
    uint32_t block_size = 0;            // tokens
    std::span<const uint32_t> windows;  // none of them 0
    uint32_t most = 0;                  // blocks that the other groups have
  };
  // The most leading blocks of `chain`, at most query.most, behind which a query finds what it sees
  // in every window.
  uint32_t MatchWindows(std::span<const uint64_t> chain, const WindowQuery& query) const;

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
