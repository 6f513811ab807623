// cost = requests running + waiting + reserved
//
// Ignores the cache: the baseline that a cache-aware policy is compared with.
#include "router/policy/policy.h"

namespace baton::router {
namespace {

class LeastLoadedPolicy final : public Policy {
 public:
  double Cost(const Candidate& candidate, const RouteQuery&, CostTerms& terms) const override {
    const WorkerLoad& load = candidate.worker->load;
    const double requests =
        static_cast<double>(load.running) + load.waiting + candidate.pending.requests;
    terms.emplace_back("requests", requests);
    return requests;
  }
};

}  // namespace

absl::Status Register_least_loaded(PolicyRegistry& registry) {
  return registry.Register("least_loaded", [] { return std::make_unique<LeastLoadedPolicy>(); });
}

}  // namespace baton::router
