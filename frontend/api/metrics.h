// What the API counts and times. Names of the vLLM family keep vLLM's meaning.
//
// Threading: thread-safe counters, made once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/obs/metrics.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

enum class FinishLabel { kStop, kLength, kAbort, kError };
enum class IgnoredField { kHint, kUnknown };

struct ApiMetrics {
  // `endpoint_names` are the registered endpoints'; one more value, "other", is added.
  ApiMetrics(MetricsRegistry& registry, const std::vector<std::string>& endpoint_names);

  // Counts one answered request. `endpoint` beyond the names means "other".
  void CountRequest(size_t endpoint, int http_status);

  Histogram& time_to_first_token_seconds;
  Histogram& inter_token_latency_seconds;
  Histogram& e2e_request_latency_seconds;
  Counters& request_success_total;  // by FinishLabel
  Counters& requests_total;         // by endpoint and status
  Counters& ignored_fields_total;   // by IgnoredField
  Gauge& active_requests;

 private:
  const size_t endpoint_count_;
};

FinishLabel LabelOf(EndReason reason);

}  // namespace baton::frontend
