// What every answer made by generations has in common, whatever its shape: starts a generation per
// prompt, hears of all of them on one strand, keeps their times for the metrics, ends exactly once,
// and cancels every generation when it is over or the client has left. A shape derives from it:
//
//   class Answer : public GenerationAnswer { … };
//   std::make_shared<Answer>(…)->Start(std::move(specs));
//
// Nothing is sent before the shape begins its stream, so an early failure is an HTTP error; a later
// one is the shape's error event.
//
// Threading: Start by the handler; everything else on the answer's strand.
// Ownership: kept alive by its generations until they are over; the sink knows it weakly.
// Errors:    all become the client's answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "frontend/admission/concurrency_limiter.h"
#include "frontend/answer/running_answers.h"
#include "frontend/client/model_context.h"
#include "frontend/http/http_types.h"
#include "frontend/metrics/api_metrics.h"
#include "frontend/stream/generation.h"
#include "frontend/stream/strand.h"

namespace baton::frontend {

class GenerationAnswer : public std::enable_shared_from_this<GenerationAnswer> {
 public:
  // Shared by all answers; outlives them.
  struct Environment {
    Generation::Environment generation;
    ApiMetrics& metrics;
    RunningAnswers& running;
    Clock& clock;
  };

  // `arrival` is when the request had been read; the permit is held until the answer is complete.
  struct Request {
    std::string name;  // for the log, and for those who abort it
    std::shared_ptr<ResponseSink> sink;
    MonotonicTime arrival;
    ConcurrencyLimiter::Permit permit;
  };

  virtual ~GenerationAnswer();

  GenerationAnswer(const GenerationAnswer&) = delete;
  GenerationAnswer& operator=(const GenerationAnswer&) = delete;

  // One spec per prompt, in order. Once.
  void Start(std::vector<GenerationSpec> specs);

  // Ends every choice at what it has, and says so. From any thread.
  void Abort();

 protected:
  // When a choice's tokens came.
  struct Pace {
    std::optional<MonotonicTime> first_token;
    MonotonicTime last_token;
  };

  GenerationAnswer(Environment environment, const ModelContext& model, Request request);

  // What the shape does with what it hears; never called once the answer is over.
  virtual void OnStarted(uint32_t prompt, uint32_t cached_tokens) = 0;
  virtual void OnPromptLogprobs(uint32_t, const v1::TokenLogprobs&) {}
  virtual void OnDelta(uint32_t prompt, const ChoiceDelta& delta) = 0;
  // Every prompt is over: what is left to say, before Finish or Respond.
  virtual void OnComplete() = 0;
  virtual HttpResponse ErrorAnswer(const absl::Status& status) = 0;
  virtual std::string ErrorEvent(const absl::Status& status) = 0;

  // What the shape says to the client. REQUIRES: the answer is not over.
  void BeginStream(HttpHeaders headers);
  // False: the client has left, and the answer is over.
  bool Write(std::string_view bytes);
  void Finish() { sink_->Finish(); }
  void Respond(HttpResponse response) { sink_->Respond(std::move(response)); }

  // Ends a choice at what it has; its last delta is still to come.
  void CutChoice(uint32_t prompt, uint32_t choice);

  // Counts a delta's tokens and end.
  void Record(const ChoiceDelta& delta, Pace& pace);

  bool over() const { return sink_ == nullptr; }
  bool stream_begun() const { return stream_begun_; }
  MonotonicTime arrival() const { return arrival_; }
  MonotonicTime Now() const { return environment_.clock.Now(); }

 private:
  class PromptObserver;

  // What is counted of a prompt when it is over.
  struct PromptCounts {
    uint32_t prompt_tokens = 0;
    uint32_t max_tokens = 0;
    uint32_t n = 1;
    uint32_t longest_choice = 0;
  };

  std::shared_ptr<RunningGeneration> StartPrompt(GenerationSpec spec, uint32_t prompt);
  void OnPromptOver(uint32_t prompt);
  void OnError(const absl::Status& status);
  void OnClientGone();
  void End();

  const std::shared_ptr<Strand> strand_;
  const std::string name_;
  const MonotonicTime arrival_;

  // Owned by the strand.
  std::optional<ConcurrencyLimiter::Permit> permit_;
  std::vector<std::weak_ptr<RunningGeneration>> generations_;
  std::vector<PromptCounts> counts_;  // by prompt
  size_t prompts_left_ = 0;

  // What every token needs stands together, as in Generation, and beside what the shape has of it.
  const Environment environment_;
  const ModelMetrics& model_metrics_;
  std::shared_ptr<ResponseSink> sink_;  // owned by the strand, as all below; null: over
  bool aborted_ = false;
  bool first_token_seen_ = false;
  bool stream_begun_ = false;
};

}  // namespace baton::frontend
