// baton-bench-serve: what a client sees of a server under load, by the method of `vllm bench
// serve`.
//
//   baton-bench-serve --base-url http://127.0.0.1:8000 --num-prompts 48 --max-concurrency 8
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "tests/bench/serve_bench/serve_load.h"
#include "tests/bench/serve_bench/serve_report.h"

namespace baton::bench {
namespace {

constexpr char kUsage[] =
    R"(baton-bench-serve: measures an OpenAI-compatible server with random prompts of token ids.

  --base-url URL             the server (http://127.0.0.1:8000)
  --model NAME               the model (the first that the server lists)
  --api-key KEY              sent as a bearer token
  --num-prompts N            requests in all (48)
  --max-concurrency N        requests at a time (8)
  --random-input-len N       tokens of a prompt (128)
  --random-output-len N      tokens of an answer (64)
  --temperature T            (0)
  --seed N                   of the prompts (0)
  --vocab-begin N            the smallest token id (1000)
  --vocab-end N              one past the largest token id (32000)
  --no-ignore-eos            let answers end early
  --skip-warm-up             do not send the one request before the load
  --json                     print one JSON object instead of a table
)";

struct Settings {
  LoadOptions load;
  std::string url = "http://127.0.0.1:8000";
  bool warm_up = true;
  bool json = false;
  bool help = false;
};

template <typename T>
std::function<bool(const std::string&)> Number(T* out) {
  return [out](const std::string& text) { return absl::SimpleAtoi(text, out); };
}

std::function<bool(const std::string&)> Text(std::string* out) {
  return [out](const std::string& text) {
    *out = text;
    return true;
  };
}

absl::StatusOr<Settings> ParseFlags(int argc, char** argv) {
  Settings settings;
  LoadOptions& load = settings.load;
  const std::map<std::string, std::function<bool(const std::string&)>> with_value = {
      {"--base-url", Text(&settings.url)},
      {"--model", Text(&load.model)},
      {"--api-key", Text(&load.api_key)},
      {"--num-prompts", Number(&load.prompt_count)},
      {"--max-concurrency", Number(&load.concurrency)},
      {"--random-input-len", Number(&load.input_tokens)},
      {"--random-output-len", Number(&load.output_tokens)},
      {"--temperature",
       [&](const std::string& text) { return absl::SimpleAtod(text, &load.temperature); }},
      {"--seed", Number(&load.seed)},
      {"--vocab-begin", Number(&load.vocabulary_begin)},
      {"--vocab-end", Number(&load.vocabulary_end)},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto found = with_value.find(flag);
    if (flag == "--help" || flag == "-h") {
      settings.help = true;
    } else if (flag == "--json") {
      settings.json = true;
    } else if (flag == "--skip-warm-up") {
      settings.warm_up = false;
    } else if (flag == "--no-ignore-eos") {
      load.ignore_eos = false;
    } else if (found == with_value.end()) {
      return InvalidArgument(absl::StrCat("unknown flag ", flag));
    } else if (++i == argc || !found->second(argv[i])) {
      return InvalidArgument(absl::StrCat("flag ", flag, " needs a value that fits"));
    }
  }
  if (load.prompt_count < 1 || load.concurrency < 1 || load.input_tokens < 1 ||
      load.output_tokens < 1 || load.vocabulary_begin >= load.vocabulary_end) {
    return InvalidArgument("counts must be positive and the vocabulary not empty");
  }
  ASSIGN_OR_RETURN(load.endpoint, ParseUrl(settings.url));
  return settings;
}

absl::Status Run(Settings settings) {
  LoadOptions& load = settings.load;
  if (load.model.empty()) {
    ASSIGN_OR_RETURN(load.model, FirstModel(load.endpoint, load.api_key));
  }
  if (settings.warm_up) {
    const RequestRecord first = SendOne(load);
    if (!first.ok) return Unavailable(absl::StrCat("the first request failed: ", first.error));
  }
  const LoadOutcome outcome = RunLoad(load);
  const ServeFigures figures = Figures(load, outcome);
  const std::string report = settings.json ? RenderJson(load, figures) : RenderTable(load, figures);
  std::fputs(report.c_str(), stdout);
  for (const RequestRecord& request : outcome.requests) {
    if (!request.ok) return Unavailable(absl::StrCat("a request failed: ", request.error));
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  absl::StatusOr<Settings> settings = ParseFlags(argc, argv);
  absl::Status status = settings.status();
  if (settings.ok() && settings->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (settings.ok()) status = Run(*std::move(settings));
  if (status.ok()) return 0;
  std::fprintf(stderr, "baton-bench-serve: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) { return baton::bench::Main(argc, argv); }
