// The lowest priority number first, first come first served within one.
#include <tuple>

#include "worker/engine/scheduling_policy.h"

namespace baton::worker {

absl::Status Register_priority(SchedulerRegistry& registry) {
  return registry.Add("priority", [](const SchedulingKey& a, const SchedulingKey& b) {
    return std::tie(a.priority, a.arrival, a.choice) < std::tie(b.priority, b.arrival, b.choice);
  });
}

}  // namespace baton::worker
