// The flags of `baton serve`, with the names that users of vLLM know, and which of the three
// programs each one goes to.
//
// Threading: plain data, filled by main.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/option_table.h"
#include "frontend/cli/fixed_flags.h"

namespace baton::frontend {

struct ServeOptions {
  std::string model;  // as typed: the positional argument, or --model

  std::string host = "0.0.0.0";
  int port = 8000;
  std::string uds;  // a path instead of host and port
  std::vector<std::string> api_keys;
  std::optional<std::string> api_key_file;
  std::vector<std::string> served_model_names;
  // Flags that go to the frontend as they are, by name: see kFrontendTexts and kFrontendSwitches.
  std::map<std::string, std::optional<std::string>> frontend_texts;
  std::map<std::string, bool> frontend_switches;
  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_methods;
  std::vector<std::string> allowed_headers;

  int workers = 1;
  // Flags that go to every worker as they are, by name: see kWorkerTexts.
  std::map<std::string, std::optional<std::string>> worker_texts;
  std::optional<std::string> max_model_len;
  std::optional<std::string> dtype;
  std::optional<std::string> max_logprobs;  // of workers and frontend
  std::optional<int64_t> threads;

  FixedFlags fixed;

  std::string log_level = "warning";
  Duration drain_timeout = std::chrono::seconds(20);
};

void DescribeOptions(OptionTable& table, ServeOptions& options);

// The arguments that go to every worker, to the router and to the frontend, without addresses.
// `model_path` is the resolved model; `worker_threads` the share of one worker.
std::vector<std::string> WorkerArguments(const ServeOptions& options, const std::string& model_path,
                                         int worker_threads);
std::vector<std::string> RouterArguments(const ServeOptions& options);
std::vector<std::string> FrontendArguments(const ServeOptions& options);
// What every user of the machine could read among the arguments: the API keys.
std::vector<std::string> FrontendEnvironment(const ServeOptions& options);

}  // namespace baton::frontend
