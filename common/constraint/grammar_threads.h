// Threads on which grammars are compiled and followed: their stacks are deep, as the engine
// recurses over schemas, and the system's scheduler serves them after the threads that answer.
//
// Threading: thread-safe. Tasks run in order of arrival, several at once.
// Ownership: the destructor drops what has not begun and joins.
// Errors:    UNAVAILABLE from Run, with a time to retry after, when too many tasks wait or Stop has
//            been called: the task was destroyed without being run.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"

namespace baton {

class GrammarThreads {
 public:
  struct Options {
    std::string name;  // of the threads
    int thread_count = 1;
    size_t queue_length_max = 1024;
    // How much less of a busy processor they get than others: 0 to 19, as `nice`.
    int niceness = 0;
  };

  explicit GrammarThreads(const Options& options);
  ~GrammarThreads();

  absl::Status Run(std::function<void()> task);

  // Refuses what comes, drops what waits, joins. Idempotent.
  void Stop();

 private:
  void Work(int niceness);

  BoundedQueue<std::function<void()>> tasks_;
  std::vector<std::unique_ptr<OwnedThread>> threads_;
};

}  // namespace baton
