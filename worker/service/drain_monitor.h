// Answers Drain calls when the last request is done, their deadline has passed, or they are gone.
//
// Threading: thread-safe; looks every 20 ms, on a thread of its own that starts with the first
// call. Ownership: the engine outlives it. The destructor answers what still waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic_task.h"
#include "worker/engine/engine_loop.h"

namespace baton::worker {

class DrainMonitor {
 public:
  // Gets the number of requests that are not done.
  using Done = std::function<void(int32_t unfinished)>;

  DrainMonitor(Clock& clock, EngineLoop& engine) : clock_(clock), engine_(engine) {}
  ~DrainMonitor() { Stop(); }

  void Wait(MonotonicTime deadline, Done done);
  // Answers everybody and ends the thread. Idempotent.
  void Stop();

 private:
  struct Waiting {
    MonotonicTime deadline;
    Done done;
  };

  void Look(bool answer_all);

  Clock& clock_;
  EngineLoop& engine_;

  Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::optional<PeriodicTask> task_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton::worker
