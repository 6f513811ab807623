#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/base/strings.h"
#include "common/concurrency/mutex.h"

namespace baton::frontend {

// Bounds how many requests are in flight, in all and for each caller. Who comes too many is told to
// come again, never queued here.
//
//   ASSIGN_OR_RETURN(ConcurrencyLimiter::Permit permit, limiter.TryEnter(key));
//   ...                                              // in flight while `permit` lives
//
// Threading: thread-safe.
// Ownership: a permit may outlive the limiter.
// Errors:    UNAVAILABLE with a retry time when our own capacity is used up (503),
//            RESOURCE_EXHAUSTED with one when the caller's is (429); nothing is counted then.
class ConcurrencyLimiter {
 public:
  struct Options {
    size_t in_flight_max = 0;             // 0: no limit
    size_t in_flight_per_caller_max = 0;  // 0: no limit
    std::chrono::milliseconds retry_after = std::chrono::seconds(1);
  };

  // One request in flight; ends when it dies.
  class Permit;

  explicit ConcurrencyLimiter(const Options& options);

  // `caller` is whatever tells callers apart; empty counts under no caller.
  absl::StatusOr<Permit> TryEnter(std::string_view caller);

  size_t in_flight() const;

 private:
  // Shared with the permits.
  struct Counts {
    Mutex mutex;
    size_t in_flight ABSL_GUARDED_BY(mutex) = 0;
    // Only callers with a request in flight, so no more than those.
    absl::flat_hash_map<std::string, size_t, StringHash, StringEqual> by_caller
        ABSL_GUARDED_BY(mutex);
  };

  const Options options_;
  const std::shared_ptr<Counts> counts_;
};

class ConcurrencyLimiter::Permit {
 public:
  Permit(Permit&& other) noexcept = default;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { End(); }

 private:
  friend class ConcurrencyLimiter;
  Permit(std::shared_ptr<Counts> counts, std::string_view caller)
      : counts_(std::move(counts)), caller_(caller) {}

  void End();

  std::shared_ptr<Counts> counts_;  // null after a move
  std::string caller_;
};

}  // namespace baton::frontend
