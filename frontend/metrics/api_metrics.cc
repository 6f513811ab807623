#include "frontend/metrics/api_metrics.h"

#include <algorithm>
#include <array>

#include "common/obs/buckets.h"

namespace baton::frontend {
namespace {

// The statuses that we answer with; others count as the last.
constexpr std::array<int, 14> kStatuses = {200, 204, 400, 401, 403, 404, 405,
                                           408, 413, 429, 499, 500, 503, 504};

std::vector<std::string> StatusLabels() {
  std::vector<std::string> labels;
  for (const int status : kStatuses) labels.push_back(std::to_string(status));
  labels.push_back("other");
  return labels;
}

size_t StatusIndex(int status) {
  return static_cast<size_t>(std::ranges::find(kStatuses, status) - kStatuses.begin());
}

std::vector<std::string> WithOther(std::vector<std::string> names) {
  names.push_back("other");
  return names;
}

// Of any model that may come: each has the same buckets.
constexpr double kTokensMax = 1'000'000;
constexpr double kChoicesMax = 20;

ModelMetrics MakeModelMetrics(MetricsRegistry& registry, const std::string& model_name) {
  const MetricsRegistry::ConstantLabels labels = {{"model_name", model_name}, {"engine", "0"}};
  const auto count = [&](std::string_view name, std::string_view help, double max) -> Histogram& {
    return registry.AddHistogram(name, help, CountBuckets(max), labels);
  };
  return {
      .time_to_first_token_seconds = registry.AddHistogram(
          "vllm:time_to_first_token_seconds",
          "From the arrival of a request to its first token, as the client sees it.",
          FirstTokenSecondsBuckets(), labels),
      .inter_token_latency_seconds = registry.AddHistogram(
          "vllm:inter_token_latency_seconds", "Between two consecutive tokens of a choice.",
          TokenSecondsBuckets(), labels),
      .e2e_request_latency_seconds = registry.AddHistogram(
          "vllm:e2e_request_latency_seconds", "From the arrival of a request to its end.",
          RequestSecondsBuckets(), labels),
      .request_time_per_output_token_seconds = registry.AddHistogram(
          "vllm:request_time_per_output_token_seconds",
          "Mean time of a choice's tokens after the first.", TokenSecondsBuckets(), labels),
      .request_prompt_tokens =
          count("vllm:request_prompt_tokens", "Tokens of the prompt, by choice.", kTokensMax),
      .request_generation_tokens =
          count("vllm:request_generation_tokens", "Tokens of a choice.", kTokensMax),
      .request_params_max_tokens =
          count("vllm:request_params_max_tokens", "Tokens that a choice may have.", kTokensMax),
      .request_max_num_generation_tokens =
          count("vllm:request_max_num_generation_tokens",
                "Tokens of the longest choice of a prompt.", kTokensMax),
      .request_params_n = count("vllm:request_params_n", "Choices of a prompt.", kChoicesMax),
      .prompt_tokens_cached_total =
          registry.AddCounter("vllm:prompt_tokens_cached_total",
                              "Tokens of prompts that were in a worker's cache.", labels),
      .request_success_total = registry.AddCounters(
          "vllm:request_success_total", "Choices that ended, by why.",
          {{"finished_reason", {"stop", "length", "abort", "error", "repetition"}}}, labels),
  };
}

}  // namespace

FinishLabel LabelOf(EndReason reason) {
  switch (reason) {
    case EndReason::kStop:
      return FinishLabel::kStop;
    case EndReason::kLength:
      return FinishLabel::kLength;
    case EndReason::kAbort:
      return FinishLabel::kAbort;
    case EndReason::kRepetition:
      break;
  }
  return FinishLabel::kRepetition;
}

ApiMetrics::ApiMetrics(MetricsRegistry& registry, const std::vector<std::string>& endpoint_names)
    : requests_total(registry.AddCounters(
          "baton_frontend_requests_total", "Requests answered, by endpoint and HTTP status.",
          {{"endpoint", WithOther(endpoint_names)}, {"code", StatusLabels()}})),
      ignored_fields_total(
          registry.AddCounters("baton_frontend_ignored_fields_total",
                               "Body fields that changed nothing: hints, and names unknown to us.",
                               {{"kind", {"hint", "unknown"}}})),
      active_requests(registry.AddGauge("baton_frontend_active_requests",
                                        "Generation requests that are being answered.")),
      registry_(registry),
      endpoint_count_(endpoint_names.size()) {}

const ModelMetrics& ApiMetrics::OfModel(const std::string& model_name) {
  MutexLock lock(mutex_);
  const auto known = models_.find(model_name);
  if (known != models_.end()) return known->second;
  const std::string label = models_.size() < kModelsMax ? model_name : "other";
  const auto other = models_.find(label);
  return other != models_.end()
             ? other->second
             : models_.emplace(label, MakeModelMetrics(registry_, label)).first->second;
}

void ApiMetrics::CountRequest(size_t endpoint, int http_status) {
  requests_total.At(std::min(endpoint, endpoint_count_), StatusIndex(http_status)).Increment();
}

}  // namespace baton::frontend
