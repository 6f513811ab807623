#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "common/concurrency/owned_thread.h"

namespace baton::worker {

// Brings mapped bytes into memory ahead of the threads that pack them: several reads under way at
// once is what disks and network file systems want, and what a page fault at a time is not.
//
//   ReadAhead ahead(ranges, /*thread_count=*/4);   // reads until done, or until it dies
//
// Purely an advice: packing is right without it, only slower.
//
// Threading: thread-compatible; reads on threads of its own.
// Ownership: the mappings must outlive it. The destructor stops within one chunk and joins.
class ReadAhead {
 public:
  static constexpr size_t kChunkBytes = size_t{4} << 20;

  ReadAhead(const std::vector<std::string_view>& ranges, int thread_count);

 private:
  void Read(std::stop_token stop);

  std::vector<std::string_view> chunks_;
  std::atomic<size_t> next_{0};
  std::vector<std::unique_ptr<OwnedThread>> threads_;  // last: they use the above
};

}  // namespace baton::worker
