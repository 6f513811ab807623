#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace baton::frontend {

// Where the server is.
struct Endpoint {
  std::string host;
  int port = 80;
  std::string path_prefix;  // what a proxy puts before /v1
};

// "http://host:port/prefix", with or without a final /v1.
absl::StatusOr<Endpoint> ParseUrl(const std::string& url);

// What is asked: prompts of random token ids, streamed answers of a fixed length. The method is
// that of `vllm bench serve --dataset-name random --ignore-eos` with an infinite request rate.
struct LoadOptions {
  Endpoint endpoint;
  std::string model;
  std::string api_key;
  int prompt_count = 48;
  int input_tokens = 128;
  int output_tokens = 64;
  int concurrency = 8;
  bool ignore_eos = true;
  std::optional<double> temperature;  // unset: the server's own default, as vLLM's tool does it
  uint64_t seed = 0;
  uint32_t vocabulary_begin = 1000;  // ids below are often special
  uint32_t vocabulary_end = 32000;
  Duration timeout = std::chrono::minutes(10);  // of one request
};

// One request as its client saw it. Times count from the moment it was sent.
struct RequestRecord {
  bool ok = false;
  std::string error;
  int output_tokens = 0;  // by the server's usage
  int prompt_tokens = 0;  // by the server's usage
  Duration time_to_first_token{};
  Duration latency{};  // to the last token
  std::vector<Duration> inter_token_latencies;
};

struct LoadOutcome {
  std::vector<RequestRecord> requests;
  Duration elapsed{};
};

// Sends one request and waits for it: shows that the server serves, and warms it up.
RequestRecord SendOne(const LoadOptions& options);

// Sends all prompts, `concurrency` at a time, from one epoll loop on the calling thread.
//
// Errors: a request that fails is recorded as such and the load goes on.
LoadOutcome RunLoad(const LoadOptions& options);

// Sends prompts of the caller's, one after the other over one connection.
//
// Threading: thread-compatible; blocks.
class PromptClient {
 public:
  explicit PromptClient(const LoadOptions& options);
  ~PromptClient();

  RequestRecord Send(const std::vector<uint32_t>& prompt);

 private:
  class Connection;
  LoadOptions options_;
  std::unique_ptr<Connection> connection_;
};

// The first model that the server lists.
absl::StatusOr<std::string> FirstModel(const Endpoint& endpoint, const std::string& api_key);

}  // namespace baton::frontend
