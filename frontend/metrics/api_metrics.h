// What the API counts and times. Names of the vLLM family keep vLLM's meaning.
//
// Threading: thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/obs/metrics.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

enum class FinishLabel { kStop, kLength, kAbort, kError, kRepetition };
enum class IgnoredField { kHint, kUnknown };

// What is counted and timed for each served model.
struct ModelMetrics {
  Histogram& time_to_first_token_seconds;
  Histogram& inter_token_latency_seconds;
  Histogram& e2e_request_latency_seconds;
  Histogram& request_time_per_output_token_seconds;
  // Of each choice that ended.
  Histogram& request_prompt_tokens;
  Histogram& request_generation_tokens;
  Histogram& request_params_max_tokens;
  // Of all choices of a prompt.
  Histogram& request_max_num_generation_tokens;
  Histogram& request_params_n;
  Counter& prompt_tokens_cached_total;
  Counters& request_success_total;  // by FinishLabel
};

struct ApiMetrics {
  static constexpr size_t kModelsMax = 64;  // more of them share the name "other"

  // `endpoint_names` are the registered endpoints'; one more value, "other", is added.
  ApiMetrics(MetricsRegistry& registry, const std::vector<std::string>& endpoint_names);

  // Counts one answered request. `endpoint` beyond the names means "other".
  void CountRequest(size_t endpoint, int http_status);

  // The series of a model, made when it is first asked for; valid as long as this.
  const ModelMetrics& OfModel(const std::string& model_name);

  Counters& requests_total;        // by endpoint and status
  Counters& ignored_fields_total;  // by IgnoredField
  Gauge& active_requests;

 private:
  MetricsRegistry& registry_;
  const size_t endpoint_count_;
  Mutex mutex_;
  std::map<std::string, ModelMetrics> models_ ABSL_GUARDED_BY(mutex_);
};

FinishLabel LabelOf(EndReason reason);

}  // namespace baton::frontend
