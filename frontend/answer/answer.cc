#include "frontend/answer/answer.h"

#include <numeric>
#include <utility>

#include "common/base/status.h"

namespace baton::frontend {
namespace {

constexpr size_t kChunkBytesKept = 64 << 10;

}  // namespace

Answer::Answer(Environment environment, AnswerPlan plan, const MakeAnswerFormat& make_format,
               Request request)
    : GenerationAnswer(environment, *plan.context, std::move(request)),
      progress_(plan.choice_count()),
      plan_(std::move(plan)),
      cached_tokens_(plan_.prompts.size()) {
  format_ = make_format(plan_);
  if (!plan_.stream) collected_.resize(plan_.choice_count());
}

Answer::~Answer() {
  format_.reset();  // it refers to the plan, which dies before it
}

void Answer::OnPromptLogprobs(uint32_t prompt, const v1::TokenLogprobs& logprobs) {
  format_->AddPromptLogprobs(prompt, logprobs);
}

void Answer::OnDelta(uint32_t prompt, const ChoiceDelta& delta) {
  const uint32_t choice = prompt * plan_.n + delta.choice;
  progress_[choice].output_tokens = delta.output_tokens;
  Record(delta, progress_[choice].pace);
  if (plan_.stream) {
    SendDelta(choice, delta);
  } else {
    format_->Collect(choice, delta, collected_[choice]);
  }
}

AnswerUsage Answer::Usage() const {
  AnswerUsage usage;
  for (const AnswerPlan::Prompt& prompt : plan_.prompts) {
    usage.prompt_tokens += static_cast<uint32_t>(prompt.ids.size());
  }
  for (uint32_t choice = 0; choice < plan_.choice_count(); ++choice) {
    usage.completion_tokens += progress_[choice].output_tokens;
    if (const auto count = format_->ReasoningTokens(choice)) {
      usage.reasoning_tokens = usage.reasoning_tokens.value_or(0) + *count;
    }
  }
  if (plan_.prompt_tokens_details) {
    usage.cached_tokens = std::accumulate(cached_tokens_.begin(), cached_tokens_.end(), 0u);
  }
  return usage;
}

AnswerUsage Answer::UsageOf(uint32_t choice) const {
  AnswerUsage usage;
  usage.prompt_tokens = static_cast<uint32_t>(plan_.PromptOfChoice(choice).ids.size());
  usage.completion_tokens = progress_[choice].output_tokens;
  if (plan_.prompt_tokens_details) usage.cached_tokens = cached_tokens_[choice / plan_.n];
  usage.reasoning_tokens = format_->ReasoningTokens(choice);
  return usage;
}

void Answer::Open(std::string* out) {
  if (stream_begun()) return;
  BeginStream({{"content-type", "text/event-stream; charset=utf-8"},
               {"cache-control", "no-cache"},
               {"x-accel-buffering", "no"}});
  AnswerUsage opening;
  opening.prompt_tokens = Usage().prompt_tokens;
  format_->AppendOpening(shows_usage_in_chunks() ? &opening : nullptr, out);
}

void Answer::SendDelta(uint32_t choice, const ChoiceDelta& delta) {
  if (plan_.only_echo && delta.end == nullptr) return;
  // Of the thread, not of the stream: it is warm whichever stream comes next.
  static thread_local std::string chunk;
  chunk.clear();
  AnswerUsage usage;
  if (shows_usage_in_chunks()) usage = UsageOf(choice);
  format_->AppendDelta(choice, delta, shows_usage_in_chunks() ? &usage : nullptr, &chunk);
  if (chunk.empty()) return;
  if (stream_begun()) {
    Write(chunk);
  } else {
    std::string opening;
    Open(&opening);
    Write(opening + chunk);
  }
  if (chunk.capacity() > kChunkBytesKept) chunk = std::string();
}

void Answer::OnComplete() {
  if (!plan_.stream) {
    return Respond({.status = 200,
                    .headers = {{"content-type", "application/json"}},
                    .body = format_->Body(collected_, Usage())});
  }
  std::string last;
  Open(&last);
  format_->AppendEnd(Usage(), &last);
  if (Write(last)) Finish();
}

// Workers do not know by which parameter the client asked for the constraint.
ApiError Answer::ErrorOf(const absl::Status& status) const {
  const bool constraint = Field(status) == "constraint" && !plan_.constraint_field.empty();
  return ToApiError(constraint ? WithField(status, plan_.constraint_field) : status);
}

HttpResponse Answer::ErrorAnswer(const absl::Status& status) {
  return plan_.error_response(ErrorOf(status));
}

std::string Answer::ErrorEvent(const absl::Status& status) {
  std::string event;
  format_->AppendError(ErrorOf(status), &event);
  return event;
}

}  // namespace baton::frontend
