// The answer to one generation request, from its first token to its last byte: starts a generation
// per prompt, puts their deltas in the order that clients expect, and ends exactly once.
//
//   auto answer = std::make_shared<Answer>(environment, std::move(plan), MakeChatFormat, {…});
//   answer->Start(std::move(specs));
//
// Nothing is sent before the first token, so an early failure is an HTTP error; a later one is an
// error event and [DONE]. A client that leaves cancels every generation at once.
//
// Threading: Start by the handler; everything else on the answer's strand.
// Ownership: kept alive by its generations until they are over; the sink knows it weakly.
// Errors:    all become the client's answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "frontend/admission/concurrency_limiter.h"
#include "frontend/api/answer_format.h"
#include "frontend/api/answer_plan.h"
#include "frontend/api/metrics.h"
#include "frontend/api/request_parser.h"
#include "frontend/http/http_types.h"
#include "frontend/stream/generation.h"
#include "frontend/stream/strand.h"

namespace baton::frontend {

class Answer : public std::enable_shared_from_this<Answer> {
 public:
  // Shared by all answers; outlives them.
  struct Environment {
    Generation::Environment generation;
    ApiMetrics& metrics;
    Clock& clock;
  };

  // `arrival` is when the request had been read; the permit is held until the answer is complete.
  struct Request {
    std::shared_ptr<ResponseSink> sink;
    MonotonicTime arrival;
    ConcurrencyLimiter::Permit permit;
    HttpResponse (*error_response)(const ApiError&) = ErrorResponse;
  };

  Answer(Environment environment, AnswerPlan plan, const MakeAnswerFormat& make_format,
         Request request);
  ~Answer();

  // One spec per prompt of the plan, in order.
  void Start(std::vector<GenerationSpec> specs);

 private:
  class PromptObserver;

  // One choice's progress.
  struct Progress {
    std::optional<MonotonicTime> last_token;
    uint32_t output_tokens = 0;
  };

  void OnStarted(uint32_t cached_tokens) { cached_tokens_ += cached_tokens; }
  void OnDelta(uint32_t prompt, const ChoiceDelta& delta);
  void OnDone();
  void OnError(const absl::Status& status);
  void OnClientGone();

  void Record(uint32_t choice, const ChoiceDelta& delta);
  void SendDelta(uint32_t choice, const ChoiceDelta& delta);
  void BeginStream();
  void Complete();
  void End();
  AnswerUsage Usage() const;
  // What a chunk shows, or null.
  const AnswerUsage* ChunkUsage();

  const Environment environment_;
  const AnswerPlan plan_;
  const ModelMetrics& model_metrics_;
  const std::shared_ptr<Strand> strand_;
  const MonotonicTime arrival_;
  HttpResponse (*const error_response_)(const ApiError&);

  // Owned by the strand.
  std::shared_ptr<ResponseSink> sink_;  // null: the answer is over
  std::optional<ConcurrencyLimiter::Permit> permit_;
  std::unique_ptr<AnswerFormat> format_;
  std::vector<std::weak_ptr<Generation>> generations_;
  std::vector<Progress> progress_;          // by choice
  std::vector<CollectedChoice> collected_;  // by choice; not when streaming
  uint32_t prompts_over_ = 0;
  uint32_t cached_tokens_ = 0;  // of all prompts
  bool first_token_seen_ = false;
  bool stream_begun_ = false;
  AnswerUsage chunk_usage_;
  std::string buffer_;  // reused for each write
  std::string chunk_;   // likewise
};

}  // namespace baton::frontend
