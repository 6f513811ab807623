// Runs the events of one request one after another, on whichever thread brings them, without a
// thread of its own and without a lock held while an event runs.
//
//   strand.Run([this, tokens = std::move(tokens)]() mutable { OnTokens(std::move(tokens)); });
//
// An event that arrives while another runs (on another thread, or from inside that event) waits in
// the queue and is run by whoever is inside. The queue is bounded by what can be under way for one
// request: a route reply, one frame per session, a cancellation.
//
// Threading: thread-safe.
// Ownership: what an event captures must keep alive what it uses.
#pragma once

#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "common/concurrency/mutex.h"

namespace baton::frontend {

class Strand {
 public:
  template <typename Event>
  void Run(Event&& event) {
    {
      MutexLock lock(mutex_);
      if (running_) {
        waiting_.emplace_back(std::forward<Event>(event));
        return;
      }
      running_ = true;
    }
    std::forward<Event>(event)();
    RunWaiting();
  }

 private:
  void RunWaiting() {
    while (true) {
      absl::AnyInvocable<void()> next;
      {
        MutexLock lock(mutex_);
        if (waiting_.empty()) {
          running_ = false;
          return;
        }
        next = std::move(waiting_.front());
        waiting_.pop_front();
      }
      next();
    }
  }

  Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<absl::AnyInvocable<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::frontend
