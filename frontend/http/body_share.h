#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace baton::frontend {

// What one body takes of the bytes that all bodies without a handler may have together, given back
// when it dies. It goes with the body, from the connection that reads it through the queue.
//
// Threading: thread-compatible; the total is shared.
// Ownership: the total outlives it.
class BodyShare {
 public:
  BodyShare() = default;
  BodyShare(BodyShare&& other) noexcept { *this = std::move(other); }
  BodyShare& operator=(BodyShare&& other) noexcept {
    std::swap(total_, other.total_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyShare() {
    if (total_ != nullptr) *total_ -= bytes_;
  }

  // Returns the new total. REQUIRES: always the same one.
  uint64_t Grow(std::atomic<uint64_t>& total, uint64_t added) {
    total_ = &total;
    bytes_ += added;
    return total += added;
  }

 private:
  std::atomic<uint64_t>* total_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace baton::frontend
