// An HTTP endpoint: its routes and what it does with a request. One endpoint is one file of this
// folder and one line of endpoints.def; the file defines Register_<name>.
//
//   absl::Status Register_version(ApiContext& context, EndpointRegistry& registry) {
//     return registry.Add("version", {{"GET", "/version"}}, [](HttpRequest, SinkPtr sink) { … });
//   }
//
// Threading: the registry is built at start and then read only; handlers are called on any thread
//            and must not block.
// Ownership: what a handler captures outlives the server.
// Errors:    INVALID_ARGUMENT for a name or a route that is there already.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/strings.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"
#include "frontend/admission/concurrency_limiter.h"
#include "frontend/api/chat_prompt.h"
#include "frontend/api/constraint_validator.h"
#include "frontend/api/fingerprint.h"
#include "frontend/api/metrics.h"
#include "frontend/api/request_parser.h"
#include "frontend/api/sampler_options.h"
#include "frontend/client/model_catalog.h"
#include "frontend/http/http_types.h"
#include "frontend/http/route_table.h"
#include "frontend/responses/response_store.h"
#include "frontend/stream/generation.h"

namespace baton::frontend {

class PeerMetrics;
class RunningAnswers;

// What the operator decides about the API.
struct ApiOptions {
  ExtraFields extra_fields = ExtraFields::kIgnore;
  ChatPromptOptions prompts;
  bool return_tokens_as_token_ids = false;
  bool force_include_usage = false;
  bool prompt_tokens_details = false;
  bool tokenizer_info = false;  // serve /tokenizer_info
  std::string response_role = "assistant";
  bool old_reasoning_name = false;       // show reasoning as reasoning_content too
  ResponseStore::Limits response_store;  // of /v1/responses
  ApiPreset preset = ApiPreset::kOpenAi;
  int64_t logprobs_max = 20;  // per token; -1: the whole vocabulary
  FingerprintOptions fingerprint;
  bool docs = true;            // serve /docs and /openapi.json
  bool require_model = false;  // a request that names no model is refused, as OpenAI does
  bool scale_out = false;      // serve the token-level routes; see scale_out.h
};

// What endpoints work with. All of it outlives the server.
struct ApiContext {
  const ApiOptions& options;
  ModelCatalog& models;
  Generation::Environment generation;
  ConcurrencyLimiter& limiter;
  ConstraintValidator& constraints;
  ApiMetrics& metrics;
  MetricsRegistry& registry;
  Lifecycle& lifecycle;
  RunningAnswers& running;
  Clock& clock;
  PeerMetrics* peer_metrics = nullptr;  // null: /metrics shows this process alone
};

class EndpointRegistry {
 public:
  struct Route {
    std::string_view method;
    std::string_view pattern;
  };

  absl::Status Add(std::string_view name, const std::vector<Route>& routes, HttpHandler handler);

  // Adds every route to the server's table.
  absl::Status AddRoutes(RouteTable& table) const;

  // Method and pattern of every route, in the order of Add.
  std::vector<std::pair<std::string, std::string>> routes() const;

  // The index of the endpoint that a pattern belongs to, in the order of EndpointNames(), or its
  // size.
  size_t IndexOf(std::string_view pattern) const;

 private:
  struct Entry {
    std::string method;
    std::string pattern;
    HttpHandler handler;
  };
  std::vector<std::string> names_;
  std::vector<Entry> entries_;
  absl::flat_hash_map<std::string, size_t, StringHash, StringEqual> index_by_pattern_;
};

// The names in endpoints.def, in its order.
std::vector<std::string> EndpointNames();

// All endpoints of endpoints.def.
absl::Status RegisterBuiltinEndpoints(ApiContext& context, EndpointRegistry& registry);

}  // namespace baton::frontend
