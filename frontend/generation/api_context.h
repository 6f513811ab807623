// What every endpoint works with, and what the operator decided about the API.
//
// Threading: the options are constant; what the context refers to is thread-safe.
// Ownership: all of it outlives the server.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/obs/lifecycle.h"
#include "common/obs/metrics.h"
#include "frontend/admission/concurrency_limiter.h"
#include "frontend/answer/fingerprint.h"
#include "frontend/client/model_catalog.h"
#include "frontend/generation/chat_prompt.h"
#include "frontend/generation/constraint_validator.h"
#include "frontend/metrics/api_metrics.h"
#include "frontend/request/request_parser.h"
#include "frontend/request/sampler_options.h"
#include "frontend/responses/response_store.h"
#include "frontend/stream/generation.h"

namespace baton::frontend {

class PeerMetrics;
class RunningAnswers;

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
  bool scale_out = false;      // serve the token-level routes
};

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

}  // namespace baton::frontend
