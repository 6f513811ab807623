// cost = (prefill tokens waiting + reserved + uncached) × (blocks active + reserved + 1)
//
// The product of the work ahead and the harm to what runs. It needs no calibration and no weight,
// and was second best of the shapes compared in simulation, so it is the default until iteration
// times have been fitted.
#include "router/policy/policy.h"

namespace baton::router {
namespace {

class ProductPolicy final : public Policy {
 public:
  double Cost(const Candidate& candidate, const RouteQuery& query,
              CostTerms& terms) const override {
    const WorkerLoad& load = candidate.worker->load;
    const double waiting = static_cast<double>(load.waiting_prefill_tokens) +
                           static_cast<double>(candidate.pending.prefill_tokens);
    const double uncached = candidate.UncachedTokens(query);
    const double blocks =
        static_cast<double>(load.blocks_active) + static_cast<double>(candidate.pending.blocks) + 1;
    terms.emplace_back("waiting_prefill_tokens", waiting);
    terms.emplace_back("uncached_tokens", uncached);
    terms.emplace_back("decode_blocks", blocks);
    return (waiting + uncached) * blocks;
  }
};

}  // namespace

absl::Status Register_product(PolicyRegistry& registry) {
  return registry.Register("product", [] { return std::make_unique<ProductPolicy>(); });
}

}  // namespace baton::router
