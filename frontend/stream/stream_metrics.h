// What generations count.
//
// Threading: thread-safe counters, made once.
#pragma once

#include "common/obs/metrics.h"

namespace baton::frontend {

struct StreamMetrics {
  explicit StreamMetrics(MetricsRegistry& registry);

  Gauge& active_generations;
  Counter& retries_total;
  Counter& migrations_total;
  Counter& migrated_tokens_total;
  Counter& lost_total;
};

}  // namespace baton::frontend
