// ORCA load reports: a client that sends `endpoint-load-metrics-format: TEXT` (or JSON) finds in a
// whole answer how busy the workers are, so that a gateway can balance by it. The figures are those
// of the workers' metrics: there are none where nobody has named the workers as metrics peers.
//
// Threading: the sink's; an answer that reports goes out on the thread `peers`.
// Ownership: the peers outlive the sink; the answer's own sink is shared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/http/http_types.h"
#include "frontend/metrics/peer_metrics.h"

namespace baton::frontend {

// How busy all workers together are.
struct FleetLoad {
  double requests_waiting = 0;
  double kv_cache_usage = 0;  // 0 to 1, the mean
};

// What a metrics page says of them; nothing if it shows no worker.
std::optional<FleetLoad> LoadOfPage(std::string_view page);

// The value of `endpoint-load-metrics`; nothing for an unknown format.
std::optional<std::string> LoadReport(std::string_view format, const FleetLoad& load);

// A sink for the answer to `request` that reports the load, if it asks for that and `peers` is not
// null.
std::shared_ptr<ResponseSink> WithLoadReport(const HttpRequest& request,
                                             std::shared_ptr<ResponseSink> sink,
                                             PeerMetrics* peers);

}  // namespace baton::frontend
