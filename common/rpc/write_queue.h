#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/base/check.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/mutex.h"

namespace baton {

// The rule of gRPC's callback streams as a state machine without gRPC: one write outstanding, the
// rest in a bounded queue, messages merged while they wait, one end. Each call says what the
// caller must do next; server and client reactors are thin shells around it.
//
//   auto [result, next] = queue.Push(std::move(frame));
//   if (next.write != nullptr) StartWrite(next.write);
//   ...OnWriteDone(ok): next = queue.OnWriteDone(ok); same again; if (next.end) Finish(status);
//
// Threading: thread-safe. Exactly one caller at a time is told to write, and one, once, to end.
// Ownership: `Next::write` points into the queue and is valid until OnWriteDone.
// Errors:    a full queue refuses the message (kFull) and stays as it is; after Close, Abort or a
//            failed write everything is refused (kClosed).
template <typename Message>
class WriteQueue {
 public:
  // Takes `next` into `last`, a message that still waits, and returns true; or leaves both alone.
  // Runs under the queue's lock: quick, and without calling out.
  using Merge = std::function<bool(Message& last, Message& next)>;

  // What the caller must do now, at most one of both.
  struct Next {
    const Message* write = nullptr;
    bool end = false;
  };
  struct Pushed {
    PushResult result;
    Next next;
  };

  // `length_max` counts waiting messages, without the one in flight. REQUIRES: length_max > 0.
  explicit WriteQueue(size_t length_max, Merge merge = {})
      : length_max_(length_max), merge_(std::move(merge)) {
    BATON_CHECK(length_max > 0) << "WriteQueue: length_max=0";
  }

  [[nodiscard]] Pushed Push(Message message) {
    MutexLock lock(mutex_);
    if (closed_) return {PushResult::kClosed, {}};
    if (!waiting_.empty() && merge_ && merge_(waiting_.back(), message)) {
      return {PushResult::kPushed, {}};
    }
    if (waiting_.size() >= length_max_) return {PushResult::kFull, {}};
    waiting_.push_back(std::move(message));
    return {PushResult::kPushed, NextLocked()};
  }

  // The outstanding write is over. `ok` false: the stream is broken and everything is dropped.
  [[nodiscard]] Next OnWriteDone(bool ok) {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) {
      closed_ = true;
      waiting_.clear();
    }
    return NextLocked();
  }

  // Ends after what is queued has been written. Idempotent.
  [[nodiscard]] Next Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    return NextLocked();
  }

  // Ends as soon as the outstanding write, if any, is over; drops what waits. Idempotent.
  [[nodiscard]] Next Abort() {
    MutexLock lock(mutex_);
    closed_ = true;
    waiting_.clear();
    return NextLocked();
  }

  // True while a write is outstanding.
  bool writing() const {
    MutexLock lock(mutex_);
    return writing_;
  }

  size_t waiting_count() const {
    MutexLock lock(mutex_);
    return waiting_.size();
  }

 private:
  Next NextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_) return {};
    if (!waiting_.empty()) {
      in_flight_ = std::move(waiting_.front());
      waiting_.pop_front();
      writing_ = true;
      return {&in_flight_, false};
    }
    if (!closed_ || ended_) return {};
    ended_ = true;
    return {nullptr, true};
  }

  const size_t length_max_;
  const Merge merge_;

  mutable Mutex mutex_;
  std::deque<Message> waiting_ ABSL_GUARDED_BY(mutex_);
  Message in_flight_ ABSL_GUARDED_BY(mutex_){};  // read by gRPC while writing_
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton
