#include "router/load/reservations.h"

#include "common/base/check.h"

namespace baton::router {

Reservations::Reservations(const Clock& clock, Duration lifetime, uint64_t first_lease)
    : clock_(clock), lifetime_(lifetime), next_lease_(first_lease == 0 ? 1 : first_lease) {}

uint64_t Reservations::Add(uint32_t slot, const Pending& cost) {
  std::lock_guard lock(mutex_);
  if (entries_.size() >= kReservationsMax) DropOldestLocked();
  const uint64_t lease = next_lease_++;
  if (next_lease_ == 0) next_lease_ = 1;
  entries_[lease] = {.slot = slot, .cost = cost, .added = clock_.Now()};
  by_age_.push_back(lease);
  Pending& sum = per_worker_[slot];
  sum.prefill_tokens += cost.prefill_tokens;
  sum.blocks += cost.blocks;
  sum.requests += 1;
  return lease;
}

void Reservations::Drop(uint64_t lease) {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(lease);
  if (entry != entries_.end()) EraseLocked(entry);
}

void Reservations::DropWorker(uint32_t slot) {
  std::lock_guard lock(mutex_);
  absl::erase_if(entries_, [slot](const auto& item) { return item.second.slot == slot; });
  per_worker_.erase(slot);
}

Pending Reservations::PendingOf(uint32_t slot) const {
  std::lock_guard lock(mutex_);
  const auto sum = per_worker_.find(slot);
  return sum == per_worker_.end() ? Pending() : sum->second;
}

void Reservations::Expire() {
  std::lock_guard lock(mutex_);
  const MonotonicTime horizon = clock_.Now() - lifetime_;
  while (!by_age_.empty()) {
    const auto entry = entries_.find(by_age_.front());
    if (entry != entries_.end()) {
      if (entry->second.added > horizon) break;
      EraseLocked(entry);
      ++expired_total_;
    }
    by_age_.pop_front();
  }
}

uint64_t Reservations::expired_total() const {
  std::lock_guard lock(mutex_);
  return expired_total_;
}

void Reservations::EraseLocked(absl::flat_hash_map<uint64_t, Entry>::iterator entry) {
  const auto sum = per_worker_.find(entry->second.slot);
  BATON_CHECK(sum != per_worker_.end() && sum->second.requests > 0)
      << "reservations: slot=" << entry->second.slot << " has no sum";
  sum->second.prefill_tokens -= entry->second.cost.prefill_tokens;
  sum->second.blocks -= entry->second.cost.blocks;
  sum->second.requests -= 1;
  if (sum->second.requests == 0) per_worker_.erase(sum);
  entries_.erase(entry);
}

void Reservations::DropOldestLocked() {
  while (!by_age_.empty()) {
    const auto entry = entries_.find(by_age_.front());
    by_age_.pop_front();
    if (entry == entries_.end()) continue;
    EraseLocked(entry);
    ++expired_total_;
    return;
  }
}

}  // namespace baton::router
