// What this router has promised to workers and they have not yet counted themselves.
//
// A placement adds an entry under its lease. It goes when the worker's Load frame names the lease
// as admitted or finished (from then on the worker's own numbers include it), when the caller
// abandons it, or when it expires: never counted twice, never blind in between.
//
//   const uint64_t lease = reservations.Add(slot, {.prefill_tokens = 512, .blocks = 8});
//   Pending pending = reservations.PendingOf(slot);
//
// Threading: thread-safe, one mutex; held for O(1), or O(expired) in Expire.
// Errors:    none. At the bound (kReservationsMax) the oldest entry is dropped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"

namespace baton::router {

// What a request will cost its worker, or the sum over several.
struct Pending {
  uint64_t prefill_tokens = 0;
  uint64_t blocks = 0;
  uint32_t requests = 0;
};

class Reservations {
 public:
  static constexpr size_t kReservationsMax = 65536;

  Reservations(const Clock& clock, Duration lifetime, uint64_t first_lease);

  // Returns the lease, which is never 0.
  uint64_t Add(uint32_t slot, const Pending& cost);

  // Unknown leases are ignored: another router's, or gone already.
  void Drop(uint64_t lease);

  // Forgets all of a worker that has left.
  void DropWorker(uint32_t slot);

  Pending PendingOf(uint32_t slot) const;

  // Drops what is older than the lifetime; called by the tick.
  void Expire();

  // How many entries ended by age or at the bound instead of by the worker's word.
  uint64_t expired_total() const;

 private:
  struct Entry {
    uint32_t slot = 0;
    Pending cost;
    MonotonicTime added;
  };

  void EraseLocked(absl::flat_hash_map<uint64_t, Entry>::iterator entry);
  void DropOldestLocked();

  const Clock& clock_;
  const Duration lifetime_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  uint64_t next_lease_;
  absl::flat_hash_map<uint64_t, Entry> entries_;
  std::deque<uint64_t> by_age_;  // leases, oldest first; may name entries that are gone
  absl::flat_hash_map<uint32_t, Pending> per_worker_;
  uint64_t expired_total_ = 0;
};

}  // namespace baton::router
