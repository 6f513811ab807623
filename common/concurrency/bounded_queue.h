#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"

namespace baton {

// What became of a pushed item. Only kPushed has taken it.
enum class PushResult { kPushed, kFull, kClosed };

// A first-in first-out queue between threads whose length has a limit. A producer that must not
// wait (a gRPC callback, the engine) uses TryPush and has an answer for kFull: reject upstream,
// drop the oldest, cut off the slow stream.
//
//   BoundedQueue<Command> inbox_(1024);
//   if (inbox_.TryPush(std::move(command)) != PushResult::kPushed) return Unavailable(...);
//   while (std::optional<Command> command = inbox_.Pop()) Handle(*command);   // until Close()
//
// Threading: thread-safe, any number of producers and consumers.
// Ownership: items still queued when the queue dies, die with it.
// Errors:    an item that was not pushed is destroyed with the argument; the queue is unchanged.
template <typename T>
class BoundedQueue {
 public:
  // REQUIRES: capacity > 0.
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {
    BATON_CHECK(capacity > 0) << "BoundedQueue: capacity=0";
  }

  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // Never waits.
  [[nodiscard]] PushResult TryPush(T item) {
    {
      MutexLock lock(mutex_);
      if (closed_) return PushResult::kClosed;
      if (items_.size() >= capacity_) return PushResult::kFull;
      items_.push_back(std::move(item));
    }
    not_empty_.Signal();
    return PushResult::kPushed;
  }

  // Waits while the queue is full. Returns kPushed or kClosed.
  [[nodiscard]] PushResult Push(T item) {
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.size() >= capacity_) not_full_.Wait(lock);
      if (closed_) return PushResult::kClosed;
      items_.push_back(std::move(item));
    }
    not_empty_.Signal();
    return PushResult::kPushed;
  }

  // Waits for an item. Empty when the queue is closed and drained.
  std::optional<T> Pop() {
    MutexLock lock(mutex_);
    while (!closed_ && items_.empty()) not_empty_.Wait(lock);
    return TakeFrontLocked();
  }

  // The same until `clock` reaches `deadline`; closed() tells an end from a time-out.
  std::optional<T> PopUntil(Clock& clock, MonotonicTime deadline) {
    MutexLock lock(mutex_);
    while (!closed_ && items_.empty()) {
      if (!not_empty_.WaitUntil(clock, lock, deadline)) break;
    }
    return TakeFrontLocked();
  }

  // Takes what is there, without waiting.
  std::optional<T> TryPop() {
    MutexLock lock(mutex_);
    return TakeFrontLocked();
  }

  // Takes up to `max_count` items that are there, without waiting, in order.
  std::vector<T> PopSome(size_t max_count) {
    MutexLock lock(mutex_);
    return TakeSomeLocked(max_count);
  }

  // Waits for at least one item, then takes up to `max_count`. Empty when closed and drained.
  std::vector<T> WaitAndPopSome(size_t max_count) {
    MutexLock lock(mutex_);
    while (!closed_ && items_.empty()) not_empty_.Wait(lock);
    return TakeSomeLocked(max_count);
  }

  // Refuses further items and wakes everybody; what is queued can still be popped. Idempotent.
  void Close() {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    not_empty_.SignalAll();
    not_full_.SignalAll();
  }

  bool closed() const {
    MutexLock lock(mutex_);
    return closed_;
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return items_.size();
  }

  size_t capacity() const { return capacity_; }

 private:
  std::optional<T> TakeFrontLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> front(std::move(items_.front()));
    items_.pop_front();
    not_full_.Signal();
    return front;
  }

  std::vector<T> TakeSomeLocked(size_t max_count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const size_t count = std::min(max_count, items_.size());
    std::vector<T> taken;
    taken.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      taken.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    if (count > 0) not_full_.SignalAll();
    return taken;
  }

  const size_t capacity_;

  mutable Mutex mutex_;
  CondVar not_empty_;
  CondVar not_full_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace baton
