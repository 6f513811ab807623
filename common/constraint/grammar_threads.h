// Threads on which grammars are compiled and followed: their stacks are deep, as the engine
// recurses over schemas, and the system's scheduler serves them after the threads that answer.
//
//   threads.Run([job] { job->result = Compile(...); },
//               [job](const absl::Status& status) { ... });
//
// The engine cannot be interrupted. A task that takes longer than it may is given up: it goes on,
// at the lowest priority, on a thread whose place another one takes, and its result is not waited
// for. When as many as `overdue_max` tasks go on like that, their places stay empty.
//
// Threading: thread-safe. Tasks run in order of arrival, several at once.
// Ownership: the destructor drops what has not begun and joins, overdue tasks too: what tasks use
//            must outlive this, and what compute and settle share, both.
// Errors:    given to settle: INVALID_ARGUMENT for a task that is overdue; UNAVAILABLE, with a time
//            to retry after, when too many tasks wait or no thread is left; UNAVAILABLE after Stop.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic_task.h"
#include "common/obs/log.h"

namespace baton {

class GrammarThreads {
 public:
  struct Options {
    std::string name;  // of the threads
    int thread_count = 1;
    size_t queue_length_max = 1024;
    // How much less of a busy processor they get than others: 0 to 19, as `nice`.
    int niceness = 0;
    Duration task_time_max = Duration::max();  // looked at each second
    int overdue_max = 4;
    Clock& clock = RealClock();
  };
  using Compute = std::function<void()>;
  using Settle = std::function<void(const absl::Status&)>;

  explicit GrammarThreads(Options options);
  ~GrammarThreads();

  // Computes on a thread, then settles: exactly once, on a thread of this, or at once on the
  // caller's when the task is refused. With OK, compute has returned; else it has not begun, or is
  // not waited for.
  void Run(Compute compute, Settle settle);

  // Refuses what comes, drops what waits, joins. Idempotent.
  void Stop();

 private:
  struct Task {
    Compute compute;
    Settle settle;
  };
  class Worker;

  void AddWorkersLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Watch();
  // Settles all that wait.
  void Drop(const absl::Status& status);

  const Options options_;
  BoundedQueue<Task> tasks_;

  Mutex mutex_;  // before a worker's
  std::list<std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(mutex_);
  int started_count_ ABSL_GUARDED_BY(mutex_) = 0;
  LogThrottle overdue_log_;

  std::optional<PeriodicTask> watch_;  // where tasks have a limit
};

}  // namespace baton
