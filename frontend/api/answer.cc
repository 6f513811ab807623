#include "frontend/api/answer.h"

#include <utility>

#include "common/base/check.h"
#include "common/obs/log.h"
#include "frontend/api/openai_error.h"

namespace baton::frontend {

// Tells an answer which of its prompts a delta belongs to.
class Answer::PromptObserver : public GenerationObserver {
 public:
  PromptObserver(std::shared_ptr<Answer> answer, uint32_t prompt)
      : answer_(std::move(answer)), prompt_(prompt) {}

  void OnStarted(uint32_t cached_tokens) override { answer_->OnStarted(cached_tokens); }
  void OnPromptLogprobs(const v1::TokenLogprobs& logprobs) override {
    if (answer_->sink_ != nullptr) answer_->format_->AddPromptLogprobs(prompt_, logprobs);
  }
  void OnDelta(const ChoiceDelta& delta) override { answer_->OnDelta(prompt_, delta); }
  void OnDone() override { answer_->OnDone(); }
  void OnError(const absl::Status& status) override { answer_->OnError(status); }

 private:
  const std::shared_ptr<Answer> answer_;
  const uint32_t prompt_;
};

Answer::Answer(Environment environment, AnswerPlan plan, const MakeAnswerFormat& make_format,
               Request request)
    : environment_(environment),
      plan_(std::move(plan)),
      model_metrics_(environment_.metrics.OfModel(plan_.context->served_names.front())),
      strand_(std::make_shared<Strand>()),
      arrival_(request.arrival),
      error_response_(request.error_response),
      sink_(std::move(request.sink)),
      permit_(std::move(request.permit)),
      format_(make_format(plan_)),
      progress_(plan_.choice_count()) {
  if (!plan_.stream) collected_.resize(plan_.choice_count());
  environment_.metrics.active_requests.Add(1);
}

Answer::~Answer() { environment_.metrics.active_requests.Add(-1); }

void Answer::Start(std::vector<GenerationSpec> specs) {
  BATON_CHECK(specs.size() == plan_.prompts.size()) << "answer: specs=" << specs.size();
  const std::shared_ptr<ResponseSink> sink = sink_;
  strand_->Run([this, self = shared_from_this(), specs = std::move(specs)]() mutable {
    for (size_t i = 0; i < specs.size(); ++i) {
      auto observer = std::make_shared<PromptObserver>(self, static_cast<uint32_t>(i));
      generations_.push_back(Generation::Start(environment_.generation, std::move(specs[i]),
                                               strand_, std::move(observer)));
    }
  });
  sink->OnGone([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      const std::shared_ptr<Strand> strand = self->strand_;
      strand->Run([self] { self->OnClientGone(); });
    }
  });
}

void Answer::OnDelta(uint32_t prompt, const ChoiceDelta& delta) {
  if (sink_ == nullptr) return;
  const uint32_t choice = prompt * plan_.n + delta.choice;
  Record(choice, delta);
  if (plan_.stream) {
    SendDelta(choice, delta);
  } else {
    format_->Collect(choice, delta, collected_[choice]);
  }
}

void Answer::Record(uint32_t choice, const ChoiceDelta& delta) {
  Progress& progress = progress_[choice];
  progress.output_tokens = delta.output_tokens;
  if (!delta.ids.empty()) {
    const MonotonicTime now = environment_.clock.Now();
    if (!std::exchange(first_token_seen_, true)) {
      model_metrics_.time_to_first_token_seconds.Observe(ToSeconds(now - arrival_));
    }
    if (progress.last_token.has_value()) {
      const double seconds = ToSeconds(now - *progress.last_token);
      model_metrics_.inter_token_latency_seconds.Observe(seconds /
                                                         static_cast<double>(delta.ids.size()));
    }
    progress.last_token = now;
  }
  if (delta.end != nullptr)
    model_metrics_.request_success_total.At(LabelOf(delta.end->reason)).Increment();
}

AnswerUsage Answer::Usage() const {
  AnswerUsage usage;
  for (const AnswerPlan::Prompt& prompt : plan_.prompts) {
    usage.prompt_tokens += static_cast<uint32_t>(prompt.ids.size());
  }
  for (const Progress& progress : progress_) usage.completion_tokens += progress.output_tokens;
  if (plan_.prompt_tokens_details) usage.cached_tokens = cached_tokens_;
  usage.reasoning_tokens = format_->reasoning_tokens();
  return usage;
}

const AnswerUsage* Answer::ChunkUsage() {
  if (!plan_.include_usage || !plan_.continuous_usage) return nullptr;
  chunk_usage_ = Usage();
  return &chunk_usage_;
}

void Answer::BeginStream() {
  if (std::exchange(stream_begun_, true)) return;
  sink_->BeginStream(200, {{"content-type", "text/event-stream; charset=utf-8"},
                           {"cache-control", "no-cache"},
                           {"x-accel-buffering", "no"}});
  AnswerUsage opening;
  opening.prompt_tokens = Usage().prompt_tokens;
  const bool shows_usage = plan_.include_usage && plan_.continuous_usage;
  format_->AppendOpening(shows_usage ? &opening : nullptr, &buffer_);
}

void Answer::SendDelta(uint32_t choice, const ChoiceDelta& delta) {
  if (plan_.only_echo && delta.end == nullptr) return;
  chunk_.clear();
  format_->AppendDelta(choice, delta, ChunkUsage(), &chunk_);
  if (chunk_.empty()) return;
  buffer_.clear();
  BeginStream();
  buffer_ += chunk_;
  if (!sink_->Write(buffer_)) OnClientGone();
}

void Answer::OnDone() {
  if (++prompts_over_ < plan_.prompts.size() || sink_ == nullptr) return;
  Complete();
}

void Answer::Complete() {
  model_metrics_.e2e_request_latency_seconds.Observe(
      ToSeconds(environment_.clock.Now() - arrival_));
  const std::shared_ptr<ResponseSink> sink = sink_;
  buffer_.clear();
  if (plan_.stream) {
    BeginStream();
    format_->AppendEnd(Usage(), &buffer_);
    sink->Write(buffer_);
    sink->Finish();
  } else {
    sink->Respond({.status = 200,
                   .headers = {{"content-type", "application/json"}},
                   .body = format_->Body(collected_, Usage())});
  }
  End();
}

void Answer::OnError(const absl::Status& status) {
  if (sink_ == nullptr) return;
  const std::shared_ptr<ResponseSink> sink = sink_;
  model_metrics_.request_success_total.At(FinishLabel::kError).Increment();
  const ApiError error = ToApiError(status);
  if (error.http_status >= 500) {
    LogWarning("request failed", {{"request", plan_.id}, {"error", status}});
  }
  if (stream_begun_) {
    buffer_.clear();
    format_->AppendError(error, &buffer_);
    sink->Write(buffer_);
    sink->Finish();
  } else {
    sink->Respond(error_response_(error));
  }
  End();
}

void Answer::OnClientGone() {
  if (sink_ == nullptr) return;
  model_metrics_.request_success_total.At(FinishLabel::kAbort).Increment();
  End();
}

void Answer::End() {
  sink_ = nullptr;
  permit_.reset();
  for (const std::weak_ptr<Generation>& weak : std::exchange(generations_, {})) {
    if (const auto generation = weak.lock()) generation->Cancel();
  }
}

}  // namespace baton::frontend
