#include "worker/loader/read_ahead.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14; older kernels answer EINVAL
#endif

namespace baton::worker {
namespace {

// Maps the pages of `bytes`, reading them if need be.
void Populate(std::string_view bytes) {
  static const auto page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data()) & ~(page_bytes - 1);
  const auto end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size());
  void* address = reinterpret_cast<void*>(begin);
  if (madvise(address, end - begin, MADV_POPULATE_READ) == 0) return;
  madvise(address, end - begin, MADV_WILLNEED);
}

}  // namespace

ReadAhead::ReadAhead(const std::vector<std::string_view>& ranges, int thread_count) {
  for (std::string_view range : ranges) {
    while (!range.empty()) {
      const size_t count = std::min(range.size(), kChunkBytes);
      chunks_.push_back(range.substr(0, count));
      range.remove_prefix(count);
    }
  }
  for (int i = 0; i < thread_count; ++i) {
    threads_.push_back(std::make_unique<OwnedThread>("read-" + std::to_string(i),
                                                     [this](std::stop_token stop) { Read(stop); }));
  }
}

void ReadAhead::Read(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= chunks_.size()) return;
    Populate(chunks_[index]);
  }
}

}  // namespace baton::worker
