// A clock that moves only when a test says so.
//
//   FakeClock clock;
//   clock.Advance(std::chrono::seconds(5));   // wakes every waiter whose deadline has passed
//
// Threading: thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>

#include "common/base/clock.h"

namespace baton {

class FakeClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }

  WallTime WallNow() const override {
    std::lock_guard lock(mutex_);
    return WallTime(std::chrono::seconds(1'700'000'000)) + (now_ - MonotonicTime());
  }

  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 MonotonicTime deadline) override {
    {
      std::lock_guard own(mutex_);
      if (now_ >= deadline) return false;
      waiters_.insert(&condition);
    }
    condition.wait_for(lock, std::chrono::milliseconds(1));  // polls: an Advance may come between
    std::lock_guard own(mutex_);
    waiters_.erase(&condition);
    return now_ < deadline;
  }

  void Advance(Duration duration) {
    std::lock_guard lock(mutex_);
    now_ += duration;
    for (std::condition_variable* waiter : waiters_) waiter->notify_all();
  }

 private:
  mutable std::mutex mutex_;
  MonotonicTime now_{std::chrono::hours(1)};
  std::multiset<std::condition_variable*> waiters_;
};

}  // namespace baton
