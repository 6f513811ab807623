#include "frontend/cli/bench_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace baton::frontend {
namespace {

double Percentile(const std::vector<double>& sorted, double percent) {
  const double at = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void AppendHeadline(std::string_view title, char fill, std::string* out) {
  constexpr size_t kWidth = 50;
  std::string text(title);
  if (!text.empty() && fill == '=') text = " " + text + " ";
  const size_t left = (kWidth - text.size()) / 2;
  out->append(left, fill).append(text).append(kWidth - left - text.size(), fill).append("\n");
}

void AppendRow(const char* label, double value, int decimals, std::string* out) {
  char line[96];
  std::snprintf(line, sizeof(line), "%-40s %-10.*f\n", label, decimals, value);
  out->append(line);
}

void AppendSpread(const char* title, const char* name, const Spread& spread, std::string* out) {
  AppendHeadline(title, '-', out);
  const std::string unit = std::string(name) + " (ms):";
  AppendRow(("Mean " + unit).c_str(), spread.mean, 2, out);
  AppendRow(("Median " + unit).c_str(), spread.median, 2, out);
  AppendRow(("P99 " + unit).c_str(), spread.p99, 2, out);
}

}  // namespace

Spread SpreadOf(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {
      std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size()),
      Percentile(samples, 50), Percentile(samples, 99)};
}

ServeFigures Figures(const LoadOptions& options, const LoadOutcome& outcome) {
  ServeFigures figures;
  std::vector<double> first;
  std::vector<double> per_token;
  std::vector<double> gaps;
  for (const RequestRecord& request : outcome.requests) {
    if (!request.ok) {
      ++figures.failed;
      continue;
    }
    ++figures.completed;
    // A server that sends no usage: one token an event is the best that can be said.
    const int tokens = request.output_tokens > 0
                           ? request.output_tokens
                           : static_cast<int>(request.inter_token_latencies.size()) + 1;
    figures.output_tokens += tokens;
    figures.input_tokens +=
        request.prompt_tokens > 0 ? request.prompt_tokens : options.input_tokens;
    first.push_back(ToMilliseconds(request.time_to_first_token));
    if (tokens > 1) {
      per_token.push_back(ToMilliseconds(request.latency - request.time_to_first_token) /
                          (tokens - 1));
    }
    for (const Duration gap : request.inter_token_latencies) gaps.push_back(ToMilliseconds(gap));
  }
  figures.seconds = ToSeconds(outcome.elapsed);
  figures.requests_per_second = figures.completed / figures.seconds;
  figures.output_tokens_per_second = static_cast<double>(figures.output_tokens) / figures.seconds;
  figures.total_tokens_per_second =
      static_cast<double>(figures.input_tokens + figures.output_tokens) / figures.seconds;
  figures.time_to_first_token = SpreadOf(std::move(first));
  figures.time_per_output_token = SpreadOf(std::move(per_token));
  figures.inter_token_latency = SpreadOf(std::move(gaps));
  return figures;
}

std::string RenderTable(const LoadOptions& options, const ServeFigures& figures) {
  std::string out;
  AppendHeadline("Serving Benchmark Result", '=', &out);
  AppendRow("Successful requests:", figures.completed, 0, &out);
  AppendRow("Failed requests:", figures.failed, 0, &out);
  AppendRow("Maximum request concurrency:", options.concurrency, 0, &out);
  AppendRow("Benchmark duration (s):", figures.seconds, 2, &out);
  AppendRow("Total input tokens:", static_cast<double>(figures.input_tokens), 0, &out);
  AppendRow("Total generated tokens:", static_cast<double>(figures.output_tokens), 0, &out);
  AppendRow("Request throughput (req/s):", figures.requests_per_second, 2, &out);
  AppendRow("Output token throughput (tok/s):", figures.output_tokens_per_second, 2, &out);
  AppendRow("Total token throughput (tok/s):", figures.total_tokens_per_second, 2, &out);
  AppendSpread("Time to First Token", "TTFT", figures.time_to_first_token, &out);
  AppendSpread("Time per Output Token (excl. 1st token)", "TPOT", figures.time_per_output_token,
               &out);
  AppendSpread("Inter-token Latency", "ITL", figures.inter_token_latency, &out);
  AppendHeadline("", '=', &out);
  return out;
}

std::string RenderJson(const LoadOptions& options, const ServeFigures& figures) {
  nlohmann::ordered_json json = {{"model_id", options.model},
                                 {"num_prompts", options.prompt_count},
                                 {"max_concurrency", options.concurrency},
                                 {"completed", figures.completed},
                                 {"failed", figures.failed},
                                 {"duration", figures.seconds},
                                 {"total_input_tokens", figures.input_tokens},
                                 {"total_output_tokens", figures.output_tokens},
                                 {"request_throughput", figures.requests_per_second},
                                 {"output_throughput", figures.output_tokens_per_second},
                                 {"total_token_throughput", figures.total_tokens_per_second}};
  const auto add = [&json](const std::string& name, const Spread& spread) {
    json["mean_" + name + "_ms"] = spread.mean;
    json["median_" + name + "_ms"] = spread.median;
    json["p99_" + name + "_ms"] = spread.p99;
  };
  add("ttft", figures.time_to_first_token);
  add("tpot", figures.time_per_output_token);
  add("itl", figures.inter_token_latency);
  return json.dump() + "\n";
}

}  // namespace baton::frontend
