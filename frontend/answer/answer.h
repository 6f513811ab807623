// The answer to one request of the OpenAI-style routes, or of another whose chunks go out in the
// same order: puts the deltas of its generations in the order that clients expect.
//
//   auto answer = std::make_shared<Answer>(environment, std::move(plan), MakeChatFormat, {…});
//   answer->Start(std::move(specs));
//
// Nothing is sent before the first token, so an early failure is an HTTP error; a later one is an
// error event and [DONE].
//
// Threading, ownership, errors: as in generation_answer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frontend/answer/answer_format.h"
#include "frontend/answer/answer_plan.h"
#include "frontend/answer/generation_answer.h"

namespace baton::frontend {

class Answer : public GenerationAnswer {
 public:
  Answer(Environment environment, AnswerPlan plan, const MakeAnswerFormat& make_format,
         Request request);
  ~Answer() override;

 private:
  // One choice's progress.
  struct Progress {
    Pace pace;
    uint32_t output_tokens = 0;
  };

  void OnStarted(uint32_t prompt, uint32_t cached_tokens) override {
    cached_tokens_[prompt] = cached_tokens;
  }
  void OnPromptLogprobs(uint32_t prompt, const v1::TokenLogprobs& logprobs) override;
  void OnDelta(uint32_t prompt, const ChoiceDelta& delta) override;
  void OnComplete() override;
  HttpResponse ErrorAnswer(const absl::Status& status) override;
  std::string ErrorEvent(const absl::Status& status) override;
  ApiError ErrorOf(const absl::Status& status) const;

  void SendDelta(uint32_t choice, const ChoiceDelta& delta);
  // Once: the headers are sent, and the opening chunks appended.
  void Open(std::string* out);
  bool shows_usage_in_chunks() const { return plan_.include_usage && plan_.continuous_usage; }
  AnswerUsage Usage() const;
  // Of one choice and its prompt alone, as a chunk shows it.
  AnswerUsage UsageOf(uint32_t choice) const;

  // What every token needs, beside what the base class has of it.
  std::vector<Progress> progress_;        // by choice
  std::unique_ptr<AnswerFormat> format_;  // owned by the strand, as progress_

  const AnswerPlan plan_;

  // Owned by the strand.
  std::vector<CollectedChoice> collected_;  // by choice; not when streaming
  std::vector<uint32_t> cached_tokens_;     // by prompt
};

}  // namespace baton::frontend
