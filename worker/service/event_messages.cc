#include "worker/service/event_messages.h"

#include <string>
#include <utility>

#include "common/base/status.h"

namespace baton::worker {
namespace {

// Beyond so many entries a waiting frame takes no more.
constexpr int kFrameEntriesMax = 4096;
constexpr int kFrameAlternativesMax = 1 << 20;

v1::FinishReason ReasonMessage(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return v1::FINISH_REASON_STOP;
    case FinishReason::kLength:
      return v1::FINISH_REASON_LENGTH;
    case FinishReason::kCancelled:
      return v1::FINISH_REASON_CANCELLED;
  }
  return v1::FINISH_REASON_UNSPECIFIED;
}

int EntryCount(const v1::SessionFrame& frame) {
  return frame.accepted_size() + frame.tokens_size() + frame.finished_size() + frame.failed_size();
}

int AlternativeCount(const v1::SessionFrame::CallTokens& entry) {
  return entry.tokens().logprobs().top_size() + entry.tokens().prompt_logprobs().top_size();
}

int AlternativeCount(const v1::SessionFrame& frame) {
  int count = 0;
  for (const auto& entry : frame.tokens()) count += AlternativeCount(entry);
  return count;
}

// The frames of a step: a new one is begun behind many log-probabilities.
class FrameWriter {
 public:
  explicit FrameWriter(Epoch epoch) : epoch_(epoch) { Begin(); }

  v1::SessionFrame& frame() { return frames_.back(); }

  v1::SessionFrame::CallTokens& AddTokens(uint64_t call) {
    if (last_ != nullptr) alternatives_ += AlternativeCount(*last_);
    if (alternatives_ > kFrameAlternativesMax) Begin();
    last_ = frame().add_tokens();
    last_->set_call(call);
    return *last_;
  }

  // Without empty ones.
  std::vector<v1::SessionFrame> Take() {
    if (EntryCount(frame()) == 0) frames_.pop_back();
    return std::move(frames_);
  }

 private:
  void Begin() {
    frames_.emplace_back().set_epoch(epoch_.value());
    last_ = nullptr;
    alternatives_ = 0;
  }

  const Epoch epoch_;
  std::vector<v1::SessionFrame> frames_;
  v1::SessionFrame::CallTokens* last_ = nullptr;
  int alternatives_ = 0;
};

// All entries of one message have the same number of alternatives.
void AddLogprob(const TokenLogprob& logprob, v1::TokenLogprobs& message) {
  message.add_sampled(logprob.sampled);
  message.add_rank(static_cast<uint32_t>(logprob.rank));
  message.set_top_count(static_cast<uint32_t>(logprob.top.size()));
  for (const auto& [token, value] : logprob.top) {
    message.add_top_ids(token);
    message.add_top(value);
  }
}

}  // namespace

v1::Accepted AcceptedMessage(const StepEvents::Accepted& event, Epoch epoch) {
  v1::Accepted message;
  message.set_prompt_tokens(static_cast<uint32_t>(event.request->prompt.size()));
  message.set_cached_tokens(static_cast<uint32_t>(event.cached_tokens));
  message.set_seed(event.request->params.seed);
  message.set_epoch(epoch.value());
  return message;
}

void AddToken(const StepEvents::Token& event, v1::Tokens& tokens) {
  tokens.set_choice(static_cast<uint32_t>(event.choice));
  tokens.add_ids(event.sampled.token);
  if (!event.sampled.state.empty()) tokens.set_sampler_state(event.sampled.state);
  if (event.request->params.logprobs.has_value()) {
    AddLogprob(event.sampled.logprob, *tokens.mutable_logprobs());
  }
}

v1::Tokens ScoredMessage(const StepEvents::Scored& event) {
  v1::Tokens message;
  message.set_choice(static_cast<uint32_t>(event.choice));
  message.set_prompt_begin(static_cast<uint32_t>(event.first_position));
  for (const TokenLogprob& logprob : event.logprobs) {
    AddLogprob(logprob, *message.mutable_prompt_logprobs());
  }
  return message;
}

v1::Finished FinishedMessage(const StepEvents::Finished& event) {
  v1::Finished message;
  message.set_choice(static_cast<uint32_t>(event.choice));
  message.set_reason(ReasonMessage(event.reason));
  if (event.stop_token.has_value()) message.set_stop_token(*event.stop_token);
  message.set_output_tokens(static_cast<uint32_t>(event.output_tokens));
  return message;
}

std::vector<v1::SessionFrame> FramesOf(const StepEvents& events, Epoch epoch) {
  FrameWriter writer(epoch);
  for (const auto& event : events.accepted) {
    v1::SessionFrame::CallAccepted& entry = *writer.frame().add_accepted();
    entry.set_call(event.request->call);
    *entry.mutable_accepted() = AcceptedMessage(event, epoch);
  }
  for (const auto& event : events.scored) {
    *writer.AddTokens(event.request->call).mutable_tokens() = ScoredMessage(event);
  }
  writer.frame().mutable_tokens()->Reserve(
      static_cast<int>(events.scored.size() + events.tokens.size()));
  for (const auto& event : events.tokens) {
    AddToken(event, *writer.AddTokens(event.request->call).mutable_tokens());
  }
  for (const auto& event : events.finished) {
    v1::SessionFrame::CallFinished& entry = *writer.frame().add_finished();
    entry.set_call(event.request->call);
    *entry.mutable_finished() = FinishedMessage(event);
  }
  for (const auto& event : events.failed) {
    AddFailure(event.request->call, event.status, writer.frame());
  }
  return writer.Take();
}

void AddFailure(uint64_t call, const absl::Status& status, v1::SessionFrame& frame) {
  v1::SessionFrame::CallFailed& entry = *frame.add_failed();
  entry.set_call(call);
  entry.set_code(static_cast<int32_t>(status.code()));
  entry.set_message(std::string(status.message()));
  if (const auto retry = RetryAfter(status)) {
    entry.set_retry_after_ms(static_cast<uint32_t>(retry->count()));
  }
  if (const auto field = Field(status)) entry.set_field(*field);
}

bool MergeFrames(v1::SessionFrame& last, v1::SessionFrame& next) {
  if (EntryCount(last) + EntryCount(next) > kFrameEntriesMax) return false;
  if (AlternativeCount(last) + AlternativeCount(next) > kFrameAlternativesMax) return false;
  last.MergeFrom(next);
  return true;
}

bool MergeEvents(v1::GenerateEvent& last, v1::GenerateEvent& next) {
  if (!last.has_tokens() || !next.has_tokens()) return false;
  v1::Tokens& into = *last.mutable_tokens();
  if (into.has_prompt_logprobs() || next.tokens().has_prompt_logprobs()) return false;
  if (into.logprobs().top_size() > kFrameAlternativesMax) return false;
  if (into.choice() != next.tokens().choice() || into.ids_size() >= kFrameEntriesMax) return false;
  // The number of alternatives is the request's, so the packed arrays can be joined.
  into.MergeFrom(next.tokens());
  return true;
}

}  // namespace baton::worker
