#pragma once

#include <cstdint>
#include <string>

namespace baton::worker {

// How much memory this process may count on.
struct MemoryLimit {
  uint64_t total_bytes = 0;      // of the machine, or of our control group if that is less
  uint64_t available_bytes = 0;  // without pushing anybody out
};

// Reads /proc/meminfo and the control group's limit. What cannot be read counts as 4 GiB.
//
// Threading: any thread. `root` is "/" outside of tests.
MemoryLimit ReadMemoryLimit(const std::string& root = "/");

}  // namespace baton::worker
