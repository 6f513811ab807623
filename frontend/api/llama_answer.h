// The answer to one request of llama.cpp's native completion route: the whole at once, or a stream
// of pieces whose last one has everything but the text. A stream has no [DONE]; a list of prompts,
// or several choices, are answered by a list, or by pieces that name their index.
//
//   auto answer = std::make_shared<LlamaAnswer>(environment, std::move(plan), std::move(request));
//   answer->Start(std::move(specs));
//
// Threading: Start by the handler; everything else on the answer's strand.
// Ownership: kept alive by its generations until they are over; the sink knows it weakly.
// Errors:    all become the client's answer, in llama.cpp's shape.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "frontend/admission/concurrency_limiter.h"
#include "frontend/api/llama_request.h"
#include "frontend/api/metrics.h"
#include "frontend/http/http_types.h"
#include "frontend/stream/generation.h"
#include "frontend/stream/strand.h"

namespace baton::frontend {

// What its pieces show besides the text.
struct LlamaAnswerPlan {
  struct Prompt {
    uint32_t token_count = 0;
    std::string text;
  };

  std::string request_id;
  std::string model;
  std::shared_ptr<const ModelContext> context;
  std::vector<Prompt> prompts;
  LlamaRequest request;

  uint32_t choices_per_prompt() const { return static_cast<uint32_t>(request.n); }
  bool is_list() const { return request.is_list || request.n > 1; }
};

class LlamaAnswer : public std::enable_shared_from_this<LlamaAnswer> {
 public:
  // Shared by all answers; outlives them.
  struct Environment {
    Generation::Environment generation;
    ApiMetrics& metrics;
    Clock& clock;
  };
  struct Request {
    std::shared_ptr<ResponseSink> sink;
    MonotonicTime arrival;
    ConcurrencyLimiter::Permit permit;
  };

  LlamaAnswer(Environment environment, LlamaAnswerPlan plan, Request request);
  ~LlamaAnswer();

  // One spec per prompt of the plan, in order.
  void Start(std::vector<GenerationSpec> specs);

 private:
  class PromptObserver;

  // One choice's progress. What a stream has sent is not kept.
  struct Choice {
    std::string text;
    std::vector<TokenId> ids;
    std::string probabilities;  // JSON objects, separated by commas
    uint32_t output_tokens = 0;
    bool has_new_line = false;
    std::optional<MonotonicTime> first_token;
    MonotonicTime last_token;
    ChoiceEnd end;
  };

  void OnStarted(uint32_t prompt, uint32_t cached_tokens);
  void OnDelta(uint32_t prompt, const ChoiceDelta& delta);
  void OnDone();
  void OnError(const absl::Status& status);
  void OnClientGone();

  void Record(Choice& choice, const ChoiceDelta& delta);
  void SendPiece(uint32_t index);
  void SendEnd(uint32_t index);
  void BeginStream();
  bool Send();
  void RespondWhole();
  void End();
  nlohmann::ordered_json Timings(uint32_t index) const;
  nlohmann::ordered_json Final(uint32_t index) const;

  const Environment environment_;
  const LlamaAnswerPlan plan_;
  const ModelMetrics& model_metrics_;
  const std::shared_ptr<Strand> strand_;
  const MonotonicTime arrival_;

  // Owned by the strand.
  std::shared_ptr<ResponseSink> sink_;  // null: the answer is over
  std::optional<ConcurrencyLimiter::Permit> permit_;
  std::vector<std::weak_ptr<Generation>> generations_;
  std::vector<uint32_t> cached_tokens_;  // by prompt
  std::vector<Choice> choices_;
  uint32_t prompts_over_ = 0;
  bool stream_begun_ = false;
  std::string buffer_;  // reused for each write
};

}  // namespace baton::frontend
