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

#include <atomic>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "common/concurrency/mutex.h"

namespace baton::frontend {

class Strand {
 public:
  // Runs the event now, or once those before it are through.
  template <typename Event>
  void Run(Event&& event) {
    if (!TryRun(event) && Enter(std::forward<Event>(event))) {
      event();
      Leave();
    }
  }

  // Runs the event now if no other is running. Else it is untouched, and the answer is false.
  template <typename Event>
  bool TryRun(Event&& event) {
    State idle = State::kIdle;
    if (!state_.compare_exchange_strong(idle, State::kRunning)) return false;
    event();
    Leave();
    return true;
  }

 private:
  enum class State { kIdle, kRunning, kOthersWait };

  // Leaves the event to whoever is inside. True: nobody is any more, now we are, and it is
  // untouched.
  template <typename Event>
  bool Enter(Event&& event) {
    MutexLock lock(mutex_);
    State before = State::kIdle;
    while (!state_.compare_exchange_strong(
        before, before == State::kIdle ? State::kRunning : State::kOthersWait)) {
    }
    if (before == State::kIdle) return true;
    waiting_.emplace_back(std::forward<Event>(event));
    return false;
  }

  // Runs what waits, until nothing does.
  void Leave() {
    State running = State::kRunning;
    while (!state_.compare_exchange_strong(running, State::kIdle)) {
      absl::AnyInvocable<void()> next;
      {
        MutexLock lock(mutex_);
        next = std::move(waiting_.front());
        waiting_.pop_front();
        if (waiting_.empty()) state_ = State::kRunning;
      }
      next();
      running = State::kRunning;
    }
  }

  std::atomic<State> state_{State::kIdle};  // kOthersWait comes and goes under the lock
  Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::frontend
