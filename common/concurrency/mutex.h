#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "common/base/clock.h"

namespace baton {

// A std::mutex that clang's -Wthread-safety understands. We do not use absl::Mutex: the
// distribution's library is built without thread sanitizer, which then reports races that are not.
//
//   Mutex mutex_;
//   int count_ ABSL_GUARDED_BY(mutex_) = 0;
//   ...
//   MutexLock lock(mutex_);
//   ++count_;
//
// Threading: thread-safe. Hold at most one at a time, and none while calling out.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> lock_;
};

// Waits for a change of state guarded by a Mutex. Wake-ups may be spurious: wait in a loop over
// the condition.
//
// Threading: thread-safe.
class CondVar {
 public:
  // Releases the lock, waits for a signal, takes it again.
  void Wait(MutexLock& lock) { condition_.wait(lock.lock_); }

  // The same, giving up when `clock` reaches `deadline`; false if it did.
  [[nodiscard]] bool WaitUntil(Clock& clock, MutexLock& lock, MonotonicTime deadline) {
    return clock.WaitUntil(lock.lock_, condition_, deadline);
  }

  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace baton
