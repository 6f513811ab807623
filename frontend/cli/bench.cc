// `baton bench serve`: what a client sees of a server under load, by the method of `vllm bench
// serve`.
#include <cstdio>
#include <iostream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/config/program.h"
#include "frontend/cli/bench_load.h"
#include "frontend/cli/bench_report.h"
#include "frontend/cli/command.h"

namespace baton::frontend {
namespace {

constexpr char kUsage[] =
    "usage: baton bench serve [options]\n\n"
    "Measures an OpenAI-compatible server under load. `baton bench serve --help` lists the "
    "options.\n";

struct BenchServeOptions {
  LoadOptions load;
  std::string base_url = "http://127.0.0.1:8000";
  bool warm_up = true;
  bool json = false;
};

void DescribeOptions(OptionTable& table, BenchServeOptions& options) {
  LoadOptions& load = options.load;
  table.Add({.name = "base-url", .help = "The server.", .aliases = {"url"}}, options.base_url);
  table.Add({.name = "model", .help = "The model. Default: the first that the server lists."},
            load.model);
  table.Add({.name = "api-key", .help = "Sent as a bearer token."}, load.api_key);
  table.Add({.name = "num-prompts", .help = "Requests in all."}, load.prompt_count);
  table.Add({.name = "max-concurrency", .help = "Requests at a time."}, load.concurrency);
  table.Add({.name = "random-input-len", .help = "Tokens of a prompt."}, load.input_tokens);
  table.Add({.name = "random-output-len", .help = "Tokens of an answer."}, load.output_tokens);
  table.Add({.name = "ignore-eos", .help = "Let no answer end early."}, load.ignore_eos);
  table.Add({.name = "temperature", .help = "Of sampling. Default: the server's own."},
            load.temperature);
  table.Add({.name = "seed", .help = "Of the random prompts."}, load.seed);
  table.Add({.name = "vocab-begin", .help = "The smallest token id of prompts."},
            load.vocabulary_begin);
  table.Add({.name = "vocab-end", .help = "One past the largest token id of prompts."},
            load.vocabulary_end);
  table.Add({.name = "request-timeout", .help = "How long one request may take."}, load.timeout);
  table.Add({.name = "warm-up", .help = "Send one request before the load."}, options.warm_up);
  table.Add({.name = "json", .help = "Print one JSON object instead of a table."}, options.json);
}

absl::Status Validate(BenchServeOptions& options) {
  LoadOptions& load = options.load;
  if (load.prompt_count < 1 || load.concurrency < 1 || load.input_tokens < 1 ||
      load.output_tokens < 1) {
    return InvalidArgument("counts and lengths must be positive");
  }
  if (load.vocabulary_begin >= load.vocabulary_end) {
    return InvalidArgument("--vocab-begin must be below --vocab-end");
  }
  ASSIGN_OR_RETURN(load.endpoint, ParseUrl(options.base_url));
  return absl::OkStatus();
}

absl::Status Measure(BenchServeOptions options) {
  LoadOptions& load = options.load;
  if (load.model.empty()) {
    ASSIGN_OR_RETURN(load.model, FirstModel(load.endpoint, load.api_key));
  }
  if (options.warm_up) {
    const RequestRecord first = SendOne(load);
    if (!first.ok) return Unavailable(absl::StrCat("the first request failed: ", first.error));
  }
  const LoadOutcome outcome = RunLoad(load);
  const ServeFigures figures = Figures(load, outcome);
  std::cout << (options.json ? RenderJson(load, figures) : RenderTable(load, figures));
  for (const RequestRecord& request : outcome.requests) {
    if (!request.ok) return Unavailable(absl::StrCat("a request failed: ", request.error));
  }
  return absl::OkStatus();
}

int RunBenchServe(std::span<const std::string> arguments) {
  BenchServeOptions options;
  OptionTable table("baton bench serve",
                    "Measures an OpenAI-compatible server with random prompts of token ids.");
  DescribeOptions(table, options);
  const auto status = ReadOptions(table, arguments, [&options] { return Validate(options); });
  if (status.has_value()) return *status;
  const absl::Status measured = Measure(std::move(options));
  return measured.ok() ? 0 : Fail(table.program(), measured);
}

}  // namespace

int Run_bench(std::span<const std::string> arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "serve") return RunBenchServe(arguments.subspan(1));
  const bool asks_help = what == "--help" || what == "-h" || what == "help";
  (asks_help ? std::cout : std::cerr) << kUsage;
  return asks_help ? 0 : 2;
}

}  // namespace baton::frontend
