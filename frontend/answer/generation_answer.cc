#include "frontend/answer/generation_answer.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/obs/log.h"
#include "frontend/stream/beam_generation.h"

namespace baton::frontend {

// Tells an answer which of its prompts an event belongs to, as long as it wants to hear.
class GenerationAnswer::PromptObserver : public GenerationObserver {
 public:
  PromptObserver(std::shared_ptr<GenerationAnswer> answer, uint32_t prompt)
      : answer_(std::move(answer)), prompt_(prompt) {}

  void OnStarted(uint32_t cached_tokens) override {
    answer_->model_metrics_.prompt_tokens_cached_total.Add(cached_tokens);
    if (!answer_->over()) answer_->OnStarted(prompt_, cached_tokens);
  }
  void OnPromptLogprobs(const v1::TokenLogprobs& logprobs) override {
    if (!answer_->over()) answer_->OnPromptLogprobs(prompt_, logprobs);
  }
  void OnDelta(const ChoiceDelta& delta) override {
    if (delta.end != nullptr) return OnLastDelta(delta);
    if (!answer_->over()) answer_->OnDelta(prompt_, delta);
  }
  void OnDone() override { answer_->OnPromptOver(prompt_); }
  void OnError(const absl::Status& status) override { answer_->OnError(status); }

 private:
  void OnLastDelta(const ChoiceDelta& delta) {
    uint32_t& longest = answer_->counts_[prompt_].longest_choice;
    longest = std::max(longest, delta.output_tokens);
    if (answer_->over()) return;
    // What is cut has no end of its own.
    const bool is_cut = delta.end->reason == EndReason::kLength;
    if (!is_cut || !answer_->aborted_) return answer_->OnDelta(prompt_, delta);
    const ChoiceEnd aborted{.reason = EndReason::kAbort};
    ChoiceDelta last = delta;
    last.end = &aborted;
    answer_->OnDelta(prompt_, last);
  }

  const std::shared_ptr<GenerationAnswer> answer_;
  const uint32_t prompt_;
};

GenerationAnswer::GenerationAnswer(Environment environment, const ModelContext& model,
                                   Request request)
    : strand_(std::make_shared<Strand>()),
      name_(std::move(request.name)),
      arrival_(request.arrival),
      permit_(std::move(request.permit)),
      environment_(environment),
      model_metrics_(environment_.metrics.OfModel(model.served_names.front())),
      sink_(std::move(request.sink)) {
  environment_.metrics.active_requests.Add(1);
}

GenerationAnswer::~GenerationAnswer() {
  environment_.running.Remove(name_, this);
  environment_.metrics.active_requests.Add(-1);
}

void GenerationAnswer::Start(std::vector<GenerationSpec> specs) {
  BATON_CHECK(!specs.empty()) << "answer: no generation";
  const std::shared_ptr<ResponseSink> sink = sink_;
  strand_->Run([this, keep = shared_from_this(), specs = std::move(specs)]() mutable {
    prompts_left_ = specs.size();
    for (const GenerationSpec& spec : specs) {
      counts_.push_back({.prompt_tokens = static_cast<uint32_t>(spec.prompt.size()),
                         .max_tokens = spec.sampling.max_tokens(),
                         .n = spec.n});
    }
    for (size_t i = 0; i < specs.size(); ++i) {
      generations_.push_back(StartPrompt(std::move(specs[i]), static_cast<uint32_t>(i)));
    }
    environment_.running.Add(name_, this);  // there is now what an Abort can cut
  });
  sink->OnGone([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      const std::shared_ptr<Strand> strand = self->strand_;
      strand->Run([self] { self->OnClientGone(); });
    }
  });
}

void GenerationAnswer::Abort() {
  strand_->Run([self = shared_from_this()] {
    if (self->over() || std::exchange(self->aborted_, true)) return;
    for (uint32_t prompt = 0; prompt < self->counts_.size(); ++prompt) {
      for (uint32_t i = 0; i < self->counts_[prompt].n; ++i) self->CutChoice(prompt, i);
    }
  });
}

std::shared_ptr<RunningGeneration> GenerationAnswer::StartPrompt(GenerationSpec spec,
                                                                 uint32_t prompt) {
  auto observer = std::make_shared<PromptObserver>(shared_from_this(), prompt);
  if (spec.beams.has_value()) {
    return BeamGeneration::Start(environment_.generation, environment_.clock, std::move(spec),
                                 strand_, std::move(observer));
  }
  return Generation::Start(environment_.generation, std::move(spec), strand_, std::move(observer));
}

void GenerationAnswer::BeginStream(HttpHeaders headers) {
  stream_begun_ = true;
  sink_->BeginStream(200, std::move(headers));
}

bool GenerationAnswer::Write(std::string_view bytes) {
  if (sink_->Write(bytes)) return true;
  OnClientGone();
  return false;
}

void GenerationAnswer::CutChoice(uint32_t prompt, uint32_t choice) {
  if (const auto generation = generations_[prompt].lock()) generation->Cut(choice);
}

void GenerationAnswer::Record(const ChoiceDelta& delta, Pace& pace) {
  if (!delta.ids.empty()) {
    const MonotonicTime now = Now();
    if (!std::exchange(first_token_seen_, true)) {
      model_metrics_.time_to_first_token_seconds.Observe(ToSeconds(now - arrival_));
    }
    if (pace.first_token.has_value()) {
      model_metrics_.inter_token_latency_seconds.Observe(ToSeconds(now - pace.last_token) /
                                                         static_cast<double>(delta.ids.size()));
    } else {
      pace.first_token = now;
    }
    pace.last_token = now;
  }
  if (delta.end == nullptr) return;
  model_metrics_.request_success_total.At(LabelOf(delta.end->reason)).Increment();
  model_metrics_.request_generation_tokens.Observe(delta.output_tokens);
  if (pace.first_token.has_value() && delta.output_tokens > 1) {
    const double seconds = ToSeconds(pace.last_token - *pace.first_token);
    model_metrics_.request_time_per_output_token_seconds.Observe(seconds /
                                                                 (delta.output_tokens - 1));
  }
}

void GenerationAnswer::OnPromptOver(uint32_t prompt) {
  const PromptCounts& counts = counts_[prompt];
  for (uint32_t choice = 0; choice < counts.n; ++choice) {
    model_metrics_.request_prompt_tokens.Observe(counts.prompt_tokens);
    model_metrics_.request_params_max_tokens.Observe(counts.max_tokens);
  }
  model_metrics_.request_max_num_generation_tokens.Observe(counts.longest_choice);
  model_metrics_.request_params_n.Observe(counts.n);
  if (--prompts_left_ > 0 || over()) return;
  model_metrics_.e2e_request_latency_seconds.Observe(ToSeconds(Now() - arrival_));
  OnComplete();
  End();
}

void GenerationAnswer::OnError(const absl::Status& status) {
  if (over()) return;
  model_metrics_.request_success_total.At(FinishLabel::kError).Increment();
  HttpResponse response = ErrorAnswer(status);
  if (response.status >= 500) {
    LogWarning("request failed", {{"request", name_}, {"error", status}});
  }
  if (stream_begun_) {
    sink_->Write(ErrorEvent(status));
    sink_->Finish();
  } else {
    sink_->Respond(std::move(response));
  }
  End();
}

void GenerationAnswer::OnClientGone() {
  if (over()) return;
  model_metrics_.request_success_total.At(FinishLabel::kAbort).Increment();
  End();
}

void GenerationAnswer::End() {
  sink_ = nullptr;
  permit_.reset();
  for (const std::weak_ptr<RunningGeneration>& weak : std::exchange(generations_, {})) {
    if (const auto generation = weak.lock()) generation->Cancel();
  }
}

}  // namespace baton::frontend
