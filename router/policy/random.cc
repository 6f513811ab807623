// cost = 0
//
// All candidates tie, so the planner's tie-break chooses: uniform and blind.
#include "router/policy/policy.h"

namespace baton::router {
namespace {

class RandomPolicy final : public Policy {
 public:
  double Cost(const Candidate&, const RouteQuery&, CostTerms&) const override { return 0; }
};

}  // namespace

absl::Status Register_random(PolicyRegistry& registry) {
  return registry.Register("random", [] { return std::make_unique<RandomPolicy>(); });
}

}  // namespace baton::router
