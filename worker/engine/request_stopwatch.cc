#include "worker/engine/request_stopwatch.h"

#include <utility>

namespace baton::worker {

void RequestStopwatch::OnStep(const StepEvents& events, MonotonicTime begin, MonotonicTime end) {
  for (const auto& event : events.accepted) {
    const auto prompt = static_cast<int32_t>(event.request->prompt.size());
    Request request{.admitted = begin, .computed_prompt_tokens = prompt - event.cached_tokens};
    request.first_token.resize(static_cast<size_t>(event.request->choices));
    requests_[event.request] = std::move(request);
  }
  const auto first_token = [this](const GenerationRequest* request,
                                  int32_t choice) -> std::optional<MonotonicTime>* {
    const auto known = requests_.find(request);
    if (known == requests_.end()) return nullptr;
    return &known->second.first_token[static_cast<size_t>(choice - request->choice_offset)];
  };
  for (const auto& event : events.tokens) {
    std::optional<MonotonicTime>* const first = first_token(event.request, event.choice);
    if (first != nullptr && !first->has_value()) *first = end;
  }
  for (const auto& event : events.finished) {
    const std::optional<MonotonicTime>* const first = first_token(event.request, event.choice);
    if (event.reason == FinishReason::kCancelled || first == nullptr || !first->has_value()) {
      continue;
    }
    const Request& request = requests_.at(event.request);
    finished_.push_back({.queue_seconds = ToSeconds(request.admitted - event.request->submitted_at),
                         .prefill_seconds = ToSeconds(**first - request.admitted),
                         .decode_seconds = ToSeconds(end - **first),
                         .computed_prompt_tokens = request.computed_prompt_tokens});
  }
  for (const GenerationRequest* request : events.ended) requests_.erase(request);
}

std::vector<ChoiceTimes> RequestStopwatch::TakeFinished() { return std::exchange(finished_, {}); }

}  // namespace baton::worker
