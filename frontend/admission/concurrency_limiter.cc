#include "frontend/admission/concurrency_limiter.h"

#include <utility>

#include "common/base/status.h"

namespace baton::frontend {

ConcurrencyLimiter::ConcurrencyLimiter(const Options& options)
    : options_(options), counts_(std::make_shared<Counts>()) {}

absl::StatusOr<ConcurrencyLimiter::Permit> ConcurrencyLimiter::TryEnter(std::string_view caller) {
  MutexLock lock(counts_->mutex);
  if (options_.in_flight_max > 0 && counts_->in_flight >= options_.in_flight_max) {
    return WithRetryAfter(Unavailable("admission: too many requests are in flight"),
                          options_.retry_after);
  }
  if (!caller.empty()) {
    const auto it = counts_->by_caller.find(caller);
    const size_t of_caller = it == counts_->by_caller.end() ? 0 : it->second;
    if (options_.in_flight_per_caller_max > 0 && of_caller >= options_.in_flight_per_caller_max) {
      return WithRetryAfter(
          ResourceExhausted("admission: too many requests of this caller are in flight"),
          options_.retry_after);
    }
    ++counts_->by_caller[std::string(caller)];
  }
  ++counts_->in_flight;
  return Permit(counts_, caller);
}

size_t ConcurrencyLimiter::in_flight() const {
  MutexLock lock(counts_->mutex);
  return counts_->in_flight;
}

ConcurrencyLimiter::Permit& ConcurrencyLimiter::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    End();
    counts_ = std::move(other.counts_);
    caller_ = std::move(other.caller_);
  }
  return *this;
}

void ConcurrencyLimiter::Permit::End() {
  const std::shared_ptr<Counts> counts = std::exchange(counts_, nullptr);
  if (counts == nullptr) return;
  MutexLock lock(counts->mutex);
  --counts->in_flight;
  if (caller_.empty()) return;
  const auto it = counts->by_caller.find(caller_);
  if (--it->second == 0) counts->by_caller.erase(it);
}

}  // namespace baton::frontend
