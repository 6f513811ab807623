#pragma once

#include <cstddef>

#include "absl/status/statusor.h"

namespace baton::worker {

// Memory for tensors: zeroed, aligned to 64 bytes, on huge pages where it is large, the kernel
// grants them and the caller does not prefer small ones. Pages become real when they are first
// touched, so a large buffer costs nothing until it is used, and lands on the memory of the thread
// that fills it.
//
// Threading: thread-compatible.
// Ownership: owns its bytes; a move leaves them where they are and the source empty.
// Errors:    RESOURCE_EXHAUSTED from Allocate when the system refuses the memory.
class Buffer {
 public:
  static constexpr size_t kAlignment = 64;

  // kHuge suits what is filled at once and read whole, as weights are; kSmall what is filled here
  // and there, where a first touch must cost no more than its own bytes.
  enum class Pages { kHuge, kSmall };

  // `size_bytes` of zeros; 0 gives an empty buffer.
  static absl::StatusOr<Buffer> Allocate(size_t size_bytes, Pages pages = Pages::kHuge);

  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size_bytes() const { return size_bytes_; }
  bool empty() const { return size_bytes_ == 0; }

  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  Buffer(std::byte* data, size_t size_bytes, size_t mapped_bytes)
      : data_(data), size_bytes_(size_bytes), mapped_bytes_(mapped_bytes) {}

  std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
  size_t mapped_bytes_ = 0;
};

}  // namespace baton::worker
