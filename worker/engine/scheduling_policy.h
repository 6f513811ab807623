// Who goes first: the order of the waiting sequences, and, read from its end, of preemption.
//
//   SchedulerRegistry registry;
//   RETURN_IF_ERROR(RegisterBuiltinSchedulers(registry));
//   ASSIGN_OR_RETURN(SchedulingPolicy before, registry.Find("priority"));
//
// A policy is a strict order of keys. It must put older requests first among equals, which is what
// keeps everybody from starving: the oldest of the best class is never preempted.
//
// Threading: immutable after registration. Errors: an unknown name lists the known ones.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton::worker {

struct SchedulingKey {
  int32_t priority = 0;  // lower is better
  uint64_t arrival = 0;  // number of the request
  int32_t choice = 0;

  friend auto operator<=>(const SchedulingKey&, const SchedulingKey&) = default;
};

// True if `a` is served before `b`.
using SchedulingPolicy = bool (*)(const SchedulingKey& a, const SchedulingKey& b);

class SchedulerRegistry {
 public:
  // ALREADY_EXISTS for a name that is taken.
  absl::Status Add(std::string_view name, SchedulingPolicy policy);
  absl::StatusOr<SchedulingPolicy> Find(std::string_view name) const;

 private:
  std::map<std::string, SchedulingPolicy, std::less<>> policies_;
};

// Adds every policy of schedulers.def.
absl::Status RegisterBuiltinSchedulers(SchedulerRegistry& registry);

}  // namespace baton::worker
