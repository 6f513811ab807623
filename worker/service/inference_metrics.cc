#include "worker/service/inference_metrics.h"

namespace baton::worker {

Refusal RefusalOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Refusal::kInvalid;
    case absl::StatusCode::kNotFound:
      return Refusal::kNotFound;
    case absl::StatusCode::kAborted:
      return Refusal::kStaleEpoch;
    case absl::StatusCode::kUnavailable:
      return Refusal::kUnavailable;
    default:
      return Refusal::kOther;
  }
}

InferenceMetrics::InferenceMetrics(MetricsRegistry& registry)
    : sessions_open(
          registry.AddGauge("baton_worker_sessions_open", "Session streams that are open.")),
      slow_peers_total(registry.AddCounter("baton_worker_slow_peers_total",
                                           "Streams cut off because their peer read too slowly.")),
      refused_total(registry.AddCounters(
          "baton_worker_refused_requests_total", "Requests that never reached the engine.",
          {{"reason", {"invalid", "not_found", "stale_epoch", "unavailable", "other"}}})) {}

}  // namespace baton::worker
