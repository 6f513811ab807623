// What the router counts of its answers.
//
// Threading: immutable; the metrics are thread-safe. Ownership: the registry owns them.
#pragma once

#include "common/obs/metrics.h"
#include "router/plan/route_planner.h"

namespace baton::router {

struct RouterMetrics {
  explicit RouterMetrics(MetricsRegistry& registry);

  Counter& placements_total;
  Counters& rejects_total;  // by RejectCode
  Counter& abandons_total;
  Counter& matched_blocks_total;    // of placements
  Counter& requested_blocks_total;  // full blocks of placed prompts
  Histogram& decision_seconds;
};

}  // namespace baton::router
