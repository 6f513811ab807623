#include "common/base/processor_count.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <thread>

namespace baton {
namespace {

// Those of the affinity mask, which the container runtime narrows for a fixed set of processors.
int AllowedProcessorCount() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::thread::hardware_concurrency());  // more than the mask can name
}

}  // namespace

int UsableProcessorCount(const std::string& root) {
  int64_t count = AllowedProcessorCount();
  // "QUOTA PERIOD" in microseconds; without a limit QUOTA is "max", which is no number.
  std::ifstream file(root + "sys/fs/cgroup/cpu.max");
  int64_t quota = 0;
  int64_t period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) {
    count = std::min(count, (quota - 1) / period + 1);
  }
  return static_cast<int>(std::max<int64_t>(count, 1));
}

}  // namespace baton
