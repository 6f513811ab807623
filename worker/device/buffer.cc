#include "worker/device/buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"

namespace baton::worker {

namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kHugePageBytes = size_t{2} << 20;

size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

void Unmap(std::byte* data, size_t bytes) {
  if (bytes > 0) BATON_CHECK(munmap(data, bytes) == 0) << "buffer: munmap: " << strerror(errno);
}

}  // namespace

absl::StatusOr<Buffer> Buffer::Allocate(size_t size_bytes, Pages pages) {
  if (size_bytes == 0) return Buffer();
  const bool huge = pages == Pages::kHuge && size_bytes >= kHugePageBytes;
  const size_t unit = huge ? kHugePageBytes : kPageBytes;
  const size_t mapped_bytes = RoundUp(size_bytes, unit);
  const size_t asked_bytes = huge ? mapped_bytes + kHugePageBytes : mapped_bytes;
  if (mapped_bytes < size_bytes || asked_bytes < mapped_bytes) {
    return ResourceExhausted(absl::StrCat("allocate buffer: bytes=", size_bytes));
  }
  void* mapping = mmap(nullptr, asked_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    return ResourceExhausted(absl::StrCat("allocate buffer: bytes=", size_bytes, ": ",
                                          static_cast<const char*>(strerror(errno))));
  }
  auto* data = static_cast<std::byte*>(mapping);
  if (huge) {
    // Cut the mapping to whole huge pages: what is before and behind goes back.
    const size_t head =
        RoundUp(reinterpret_cast<size_t>(data), kHugePageBytes) - reinterpret_cast<size_t>(data);
    Unmap(data, head);
    data += head;
    Unmap(data + mapped_bytes, asked_bytes - head - mapped_bytes);
    madvise(data, mapped_bytes, MADV_HUGEPAGE);  // a wish: refusal only costs speed
  } else if (pages == Pages::kSmall) {
    madvise(data, mapped_bytes, MADV_NOHUGEPAGE);  // likewise
  }
  return Buffer(data, size_bytes, mapped_bytes);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Unmap(data_, mapped_bytes_);
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
    mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  }
  return *this;
}

Buffer::~Buffer() { Unmap(data_, mapped_bytes_); }

}  // namespace baton::worker
