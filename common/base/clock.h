// A source of time that tests can replace. Everything that waits, expires or measures takes one.
//
// Threading: thread-safe. Ownership: RealClock() lives for ever; a component keeps a reference.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace baton {

using Duration = std::chrono::nanoseconds;
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes back; its zero means nothing.
  virtual MonotonicTime Now() const = 0;

  // Calendar time, for `created` fields and logs.
  virtual WallTime WallNow() const = 0;

  // Waits on `condition` until it is notified or `deadline` passes; `lock` must be held. Returns
  // false when the deadline has passed. Spurious returns of true are allowed.
  virtual bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                         MonotonicTime deadline) = 0;
};

// The machine's clock.
Clock& RealClock();

// Seconds since the Unix epoch.
inline int64_t UnixSeconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

inline double ToSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
inline double ToMilliseconds(Duration duration) { return ToSeconds(duration) * 1e3; }

}  // namespace baton
