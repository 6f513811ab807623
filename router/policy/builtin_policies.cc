// Never edited again: policies.def is the list.
#include "common/base/status_macros.h"
#include "router/policy/policy.h"

namespace baton::router {

#define BATON_POLICY(name) absl::Status Register_##name(PolicyRegistry& registry);
#include "router/policy/policies.def"
#undef BATON_POLICY

absl::Status RegisterBuiltinPolicies(PolicyRegistry& registry) {
#define BATON_POLICY(name) RETURN_IF_ERROR(Register_##name(registry));
#include "router/policy/policies.def"
#undef BATON_POLICY
  return absl::OkStatus();
}

}  // namespace baton::router
