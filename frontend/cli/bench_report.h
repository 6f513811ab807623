// The figures of a load, computed as `vllm bench serve` computes them.
//
// Threading: any thread.
#pragma once

#include <string>
#include <vector>

#include "frontend/cli/bench_load.h"

namespace baton::frontend {

// Mean, median and 99th percentile, in milliseconds. Percentiles interpolate linearly.
struct Spread {
  double mean = 0;
  double median = 0;
  double p99 = 0;
};

struct ServeFigures {
  int completed = 0;
  int failed = 0;
  double seconds = 0;
  long input_tokens = 0;
  long output_tokens = 0;
  double requests_per_second = 0;
  double output_tokens_per_second = 0;
  double total_tokens_per_second = 0;
  Spread time_to_first_token;
  Spread time_per_output_token;  // of a request: (latency - TTFT) / (tokens - 1)
  Spread inter_token_latency;    // of all gaps between events
};

Spread SpreadOf(std::vector<double> samples);
ServeFigures Figures(const LoadOptions& options, const LoadOutcome& outcome);

// The table that vLLM prints, or one JSON object with vLLM's key names.
std::string RenderTable(const LoadOptions& options, const ServeFigures& figures);
std::string RenderJson(const LoadOptions& options, const ServeFigures& figures);

}  // namespace baton::frontend
