#include "worker/engine/scheduling_policy.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {

#define BATON_SCHED(name) absl::Status Register_##name(SchedulerRegistry&);
#include "worker/engine/schedulers.def"
#undef BATON_SCHED

absl::Status RegisterBuiltinSchedulers(SchedulerRegistry& registry) {
#define BATON_SCHED(name) RETURN_IF_ERROR(Register_##name(registry));
#include "worker/engine/schedulers.def"
#undef BATON_SCHED
  return absl::OkStatus();
}

absl::Status SchedulerRegistry::Add(std::string_view name, SchedulingPolicy policy) {
  if (!policies_.emplace(std::string(name), policy).second) {
    return absl::AlreadyExistsError(
        absl::StrCat("register scheduling policy: name=", ToAbsl(name)));
  }
  return absl::OkStatus();
}

absl::StatusOr<SchedulingPolicy> SchedulerRegistry::Find(std::string_view name) const {
  if (const auto entry = policies_.find(name); entry != policies_.end()) return entry->second;
  std::string known;
  for (const auto& [other, policy] : policies_) absl::StrAppend(&known, " ", other);
  return InvalidArgument(
      absl::StrCat("unknown scheduling policy: name=", ToAbsl(name), ", known:", known));
}

}  // namespace baton::worker
