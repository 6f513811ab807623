#include "frontend/frontend_metrics.h"

namespace baton::frontend {

FrontendHttpMetrics::FrontendHttpMetrics(MetricsRegistry& registry)
    : events_total_(registry.AddCounters(
          "baton_frontend_http_events_total", "Connections and requests outside of the usual way.",
          {{"event",
            {"connection_opened", "connection_closed", "connection_refused", "request_rejected",
             "request_timed_out", "queue_full", "client_gone", "client_too_slow",
             "answer_abandoned"}}})) {
  static_assert(kHttpEventCount == 9, "every event has a label");
}

}  // namespace baton::frontend
