// First come, first served; the choices of one request in their order.
#include <tuple>

#include "worker/engine/scheduling_policy.h"

namespace baton::worker {

absl::Status Register_fcfs(SchedulerRegistry& registry) {
  return registry.Add("fcfs", [](const SchedulingKey& a, const SchedulingKey& b) {
    return std::tie(a.arrival, a.choice) < std::tie(b.arrival, b.choice);
  });
}

}  // namespace baton::worker
