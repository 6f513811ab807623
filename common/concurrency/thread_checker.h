#pragma once

#include <atomic>
#include <thread>

namespace baton {

// Remembers which thread owns an object and answers whether the caller is it.
//
//   void BlockPool::Acquire(...) { BATON_DCHECK(engine_thread_.CalledOnOwner()); ... }
//
// The owner is the first thread that asks, so an object may be built on one thread and live on
// another. Detach() hands it over once more.
//
// Threading: thread-safe.
class ThreadChecker {
 public:
  // True if the caller is the owner; an unowned checker takes the caller as its owner.
  bool CalledOnOwner() const {
    std::thread::id nobody;
    const std::thread::id self = std::this_thread::get_id();
    return owner_.compare_exchange_strong(nobody, self) || nobody == self;
  }

  // Forgets the owner; the next caller becomes it.
  void Detach() { owner_.store(std::thread::id()); }

 private:
  mutable std::atomic<std::thread::id> owner_{};
};

}  // namespace baton
