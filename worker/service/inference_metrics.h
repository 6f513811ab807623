// What the Inference service counts.
//
// Threading: immutable; the metrics are thread-safe. Ownership: the registry owns them.
#pragma once

#include "absl/status/status.h"
#include "common/obs/metrics.h"

namespace baton::worker {

enum class Refusal { kInvalid, kNotFound, kStaleEpoch, kUnavailable, kOther };
Refusal RefusalOf(const absl::Status& status);

struct InferenceMetrics {
  explicit InferenceMetrics(MetricsRegistry& registry);

  Gauge& sessions_open;
  Counter& slow_peers_total;
  Counters& refused_total;  // by Refusal
};

}  // namespace baton::worker
