// What frontend and router add to the time to first token: the same prompts to a worker's Session
// and to the frontend's HTTP, one after the other, in pairs whose order alternates, so that drift
// of the machine falls on both. Nothing else should run.
//
//   ttft_overhead --worker 127.0.0.1:9000 --url http://127.0.0.1:8000 [--pairs 200] [--json]
//
// Each pair has two prompts of its own of equal length: neither path finds the other's in a cache.
#include <algorithm>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/config/config_source.h"
#include "frontend/cli/bench_load.h"
#include "frontend/cli/bench_report.h"
#include "tests/bench/ttft_overhead/worker_probe.h"

namespace baton::bench {
namespace {

struct Options {
  std::string worker;
  std::string url = "http://127.0.0.1:8000";
  std::string model;
  std::string api_key;
  int64_t pairs = 200;
  int64_t input_tokens = 16;
  int64_t output_tokens = 4;
  int64_t vocabulary_begin = 1000;
  int64_t vocabulary_end = 32000;
  bool json = false;
};

struct Samples {
  std::vector<double> direct_ms;
  std::vector<double> http_ms;
  std::vector<double> difference_ms;  // of each pair
};

void Describe(OptionTable& table, Options& options) {
  table.Add({.name = "worker", .help = "The worker's gRPC address."}, options.worker);
  table.Add({.name = "url", .help = "The frontend."}, options.url);
  table.Add({.name = "model", .help = "Default: the first that the frontend lists."},
            options.model);
  table.Add({.name = "api-key", .help = "Sent to the frontend."}, options.api_key);
  table.Add({.name = "pairs", .help = "Pairs of requests."}, options.pairs);
  table.Add({.name = "input-len", .help = "Tokens of a prompt."}, options.input_tokens);
  table.Add({.name = "output-len", .help = "Tokens of an answer."}, options.output_tokens);
  table.Add({.name = "vocab-begin", .help = "The smallest token id."}, options.vocabulary_begin);
  table.Add({.name = "vocab-end", .help = "One past the largest id."}, options.vocabulary_end);
  table.Add({.name = "json", .help = "Print one JSON object."}, options.json);
}

absl::Status Validate(const Options& options) {
  if (options.worker.empty()) return InvalidArgument("--worker is required");
  if (options.pairs < 1 || options.input_tokens < 1 || options.output_tokens < 1 ||
      options.vocabulary_begin < 0 || options.vocabulary_begin >= options.vocabulary_end) {
    return InvalidArgument("counts must be positive and the vocabulary not empty");
  }
  return absl::OkStatus();
}

// The frontend's side of a pair, on a connection that is kept.
class HttpProbe {
 public:
  HttpProbe(const Options& options, frontend::Endpoint endpoint, std::string model)
      : client_(Load(options, std::move(endpoint), std::move(model))) {}

  absl::StatusOr<Duration> Measure(const std::vector<uint32_t>& prompt) {
    const frontend::RequestRecord record = client_.Send(prompt);
    if (!record.ok) return Unavailable(absl::StrCat("frontend: ", record.error));
    return record.time_to_first_token;
  }

 private:
  static frontend::LoadOptions Load(const Options& options, frontend::Endpoint endpoint,
                                    std::string model) {
    frontend::LoadOptions load;
    load.endpoint = std::move(endpoint);
    load.model = std::move(model);
    load.api_key = options.api_key;
    load.output_tokens = static_cast<int>(options.output_tokens);
    load.temperature = 0;
    return load;
  }

  frontend::PromptClient client_;
};

absl::StatusOr<Samples> MeasurePairs(const Options& options) {
  ASSIGN_OR_RETURN(frontend::Endpoint endpoint, frontend::ParseUrl(options.url));
  std::string model = options.model;
  if (model.empty()) {
    ASSIGN_OR_RETURN(model, frontend::FirstModel(endpoint, options.api_key));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<WorkerProbe> worker, WorkerProbe::Open(options.worker));
  HttpProbe http(options, std::move(endpoint), model);

  std::mt19937_64 random(1);
  std::uniform_int_distribution<uint32_t> token(static_cast<uint32_t>(options.vocabulary_begin),
                                                static_cast<uint32_t>(options.vocabulary_end - 1));
  const auto prompt = [&] {
    std::vector<uint32_t> ids(static_cast<size_t>(options.input_tokens));
    std::generate(ids.begin(), ids.end(), [&] { return token(random); });
    return ids;
  };
  const auto direct = [&] {
    return worker->Measure({"", prompt(), static_cast<int>(options.output_tokens)});
  };

  constexpr int kWarmUpPairs = 5;
  Samples samples;
  for (int64_t i = -kWarmUpPairs; i < options.pairs; ++i) {
    Duration by_worker{};
    Duration by_http{};
    if (i % 2 == 0) {
      ASSIGN_OR_RETURN(by_worker, direct());
      ASSIGN_OR_RETURN(by_http, http.Measure(prompt()));
    } else {
      ASSIGN_OR_RETURN(by_http, http.Measure(prompt()));
      ASSIGN_OR_RETURN(by_worker, direct());
    }
    if (i < 0) continue;
    samples.direct_ms.push_back(ToMilliseconds(by_worker));
    samples.http_ms.push_back(ToMilliseconds(by_http));
    samples.difference_ms.push_back(ToMilliseconds(by_http - by_worker));
  }
  return samples;
}

void Print(const Options& options, const Samples& samples) {
  const frontend::Spread direct = frontend::SpreadOf(samples.direct_ms);
  const frontend::Spread http = frontend::SpreadOf(samples.http_ms);
  const frontend::Spread pairs = frontend::SpreadOf(samples.difference_ms);
  const double overhead = http.median - direct.median;
  if (options.json) {
    std::cout << absl::StrFormat(
        R"({"pairs":%d,"direct_median_ms":%.4f,"http_median_ms":%.4f,"overhead_median_ms":%.4f,)"
        R"("pair_difference_median_ms":%.4f,"direct_p99_ms":%.4f,"http_p99_ms":%.4f})"
        "\n",
        options.pairs, direct.median, http.median, overhead, pairs.median, direct.p99, http.p99);
    return;
  }
  std::cout << absl::StrFormat(
      "time to first token over %d pairs, ms     median      p99\n"
      "worker's Session                        %8.3f %8.3f\n"
      "frontend and router                     %8.3f %8.3f\n"
      "difference of the medians               %8.3f\n"
      "median difference within a pair         %8.3f\n",
      options.pairs, direct.median, direct.p99, http.median, http.p99, overhead, pairs.median);
}

int Main(std::vector<std::string> arguments) {
  Options options;
  OptionTable table("ttft_overhead", "What frontend and router add to the time to first token.");
  Describe(table, options);
  const absl::StatusOr<LoadedConfig> config = LoadConfig(table, arguments, ProcessEnvironment());
  if (config.ok() && config->action == LoadedConfig::Action::kShowHelp) {
    std::cout << table.HelpText();
    return 0;
  }
  absl::Status status = config.ok() ? Validate(options) : config.status();
  if (status.ok()) {
    const absl::StatusOr<Samples> samples = MeasurePairs(options);
    status = samples.status();
    if (samples.ok()) Print(options, *samples);
  }
  if (!status.ok()) std::cerr << "ttft_overhead: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) { return baton::bench::Main(baton::ArgumentsOfMain(argc, argv)); }
