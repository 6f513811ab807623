#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace baton {

// A slot that always holds the latest immutable T: one writer publishes, many readers take it
// and keep it as long as they like. Slow control paths build a new T; hot paths read without
// waiting for them or for one another.
//
//   Snapshot<WorkerView> view_(std::make_shared<WorkerView>());
//   view_.Publish(next);                                  // on the owning thread
//   std::shared_ptr<const WorkerView> v = view_.Load();   // anywhere
//
// The pointer is kept once per stripe, each on its own cache line behind a lock that covers one
// pointer copy; a reader takes the stripe of its thread, so readers do not meet. (GCC 12's
// std::atomic<std::shared_ptr> is a spin lock too, with a data race in load that thread sanitizer
// rightly reports.)
//
// Threading: thread-safe. Concurrent Publish calls are safe, their order is not defined.
// Ownership: shared; the last of the holder and its readers frees a value, on its own thread.
template <typename T>
class Snapshot {
 public:
  // REQUIRES: value != nullptr, so that Load never returns null.
  explicit Snapshot(std::shared_ptr<const T> value) { Publish(std::move(value)); }

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  std::shared_ptr<const T> Load() const {
    Stripe& stripe = stripes_[StripeOfThisThread()];
    std::lock_guard<std::mutex> lock(stripe.mutex);
    return stripe.value;
  }

  void Publish(std::shared_ptr<const T> value) {
    for (Stripe& stripe : stripes_) {
      std::shared_ptr<const T> old = value;
      {
        std::lock_guard<std::mutex> lock(stripe.mutex);
        stripe.value.swap(old);
      }  // the old value dies outside the lock
    }
  }

 private:
  static constexpr size_t kStripeCount = 8;

  struct alignas(64) Stripe {
    std::mutex mutex;
    std::shared_ptr<const T> value;
  };

  static size_t StripeOfThisThread() {
    static thread_local const size_t stripe =
        (std::hash<std::thread::id>()(std::this_thread::get_id()) >> 12) % kStripeCount;
    return stripe;
  }

  mutable std::array<Stripe, kStripeCount> stripes_;
};

}  // namespace baton
