#include "router/service/router_metrics.h"

#include <array>

namespace baton::router {
namespace {

// A decision takes microseconds; the common buckets start at a millisecond.
constexpr std::array<double, 10> kDecisionBuckets = {1e-6, 2e-6, 5e-6, 1e-5, 2e-5,
                                                     5e-5, 1e-4, 1e-3, 1e-2, 1e-1};

}  // namespace

RouterMetrics::RouterMetrics(MetricsRegistry& registry)
    : placements_total(
          registry.AddCounter("baton_router_placements_total", "Requests given a worker.")),
      rejects_total(registry.AddCounters(
          "baton_router_rejects_total", "Requests given none, by reason.",
          {{"reason", {"model_not_found", "no_worker", "no_capacity", "too_long"}}})),
      abandons_total(
          registry.AddCounter("baton_router_abandons_total", "Placements given back unused.")),
      matched_blocks_total(registry.AddCounter("baton_router_matched_blocks_total",
                                               "Blocks that the chosen worker was said to hold.")),
      requested_blocks_total(registry.AddCounter("baton_router_requested_blocks_total",
                                                 "Full blocks of the prompts that were placed.")),
      decision_seconds(registry.AddHistogram("baton_router_decision_seconds",
                                             "Time of one routing decision.", kDecisionBuckets)) {}

}  // namespace baton::router
