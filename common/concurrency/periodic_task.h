#pragma once

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/owned_thread.h"

namespace baton {

// Calls a function at a steady pace on a thread of its own: heartbeats, leases, DNS polls.
//
//   PeriodicTask tick_("tick", RealClock(), std::chrono::seconds(2), [this] { Resolve(); });
//
// The pace is kept from start to start. After a call that took longer than the period the
// next one follows at once; further missed periods are skipped, never made up for in a burst.
//
// Threading: thread-safe; the function runs on the task's own thread only.
// Ownership: the destructor stops and joins, after at most one running call. What the function
//            captures must outlive the task: declare it last.
class PeriodicTask {
 public:
  // The first call comes one period after construction. REQUIRES: period > 0.
  PeriodicTask(std::string name, Clock& clock, Duration period, std::function<void()> function);
  ~PeriodicTask();

  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

  // Makes the next call happen now instead of at the end of the period.
  void RunSoon();

  // Ends the calls; waits for one that is running. Idempotent.
  void Stop();

 private:
  void Loop(std::stop_token stop, MonotonicTime next);

  Clock& clock_;
  const Duration period_;
  const std::function<void()> function_;

  Mutex mutex_;
  CondVar changed_;
  bool run_soon_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  OwnedThread thread_;
};

}  // namespace baton
