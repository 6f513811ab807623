#include "worker/executor/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

namespace baton::worker {
namespace {

constexpr uint64_t kUnknownBytes = uint64_t{4} << 30;

// A file that holds one number, or "max".
std::optional<uint64_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::optional<uint64_t> ReadMeminfo(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string line_key;
  uint64_t kibibytes = 0;
  std::string unit;
  while (file >> line_key >> kibibytes) {
    std::getline(file, unit);
    if (line_key == key) return kibibytes << 10;
  }
  return std::nullopt;
}

}  // namespace

MemoryLimit ReadMemoryLimit(const std::string& root) {
  const std::string meminfo = root + "proc/meminfo";
  MemoryLimit limit;
  limit.total_bytes = ReadMeminfo(meminfo, "MemTotal:").value_or(kUnknownBytes);
  limit.available_bytes = ReadMeminfo(meminfo, "MemAvailable:").value_or(limit.total_bytes);
  // What the group uses now is mostly its page cache, which gives way: it does not count.
  if (const std::optional<uint64_t> max = ReadNumber(root + "sys/fs/cgroup/memory.max")) {
    limit.total_bytes = std::min(limit.total_bytes, *max);
    limit.available_bytes = std::min(limit.available_bytes, *max);
  }
  return limit;
}

}  // namespace baton::worker
