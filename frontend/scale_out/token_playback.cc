#include "frontend/scale_out/token_playback.h"

#include <algorithm>

namespace baton::frontend {
namespace {

bool IsStopToken(const GenerationSpec& spec, TokenId id) {
  const auto& asked = spec.sampling.stop_token_ids();
  return (id == spec.model->eos_id && !spec.sampling.ignore_eos()) ||
         std::ranges::find(asked, id) != asked.end() ||
         std::ranges::find(spec.quiet_stop_ids, id) != spec.quiet_stop_ids.end();
}

}  // namespace

std::span<const TokenId> TokensOfText(const GenerationSpec& spec, std::span<const TokenId> ids,
                                      const ChoiceEnd* end) {
  const bool stopped = end != nullptr && end->reason == EndReason::kStop && !ids.empty();
  const bool hides_last =
      stopped && spec.stop_text == StopText::kDrop && IsStopToken(spec, ids.back());
  return ids.first(ids.size() - (hides_last ? 1 : 0));
}

ChoiceDelta TokenPlayback::Next(std::span<const TokenId> ids, const v1::TokenLogprobs* logprobs,
                                const ChoiceEnd* end) {
  if (over_) return {};
  const ChoiceText::Output out = text_.Push(TokensOfText(spec_, ids, end), count_);
  const std::span<const TokenId> used = out.matched != nullptr ? ids.first(out.tokens_used) : ids;
  count_ += used.size();
  ChoiceDelta delta{.text = out.text,
                    .ids = used,
                    .text_ends = out.text_ends,
                    .logprobs = logprobs,
                    .output_tokens = static_cast<uint32_t>(count_)};
  over_ = out.matched != nullptr || end != nullptr;
  if (out.matched != nullptr) {
    end_ = {.reason = EndReason::kStop, .stop = *out.matched};
    delta.end = &end_;
  } else if (end != nullptr) {
    shown_ends_.assign(out.text_ends.begin(), out.text_ends.end());
    shown_ = out.text;  // Flush ends the life of what Push returned
    shown_ += text_.Flush();
    delta.text = shown_;
    delta.text_ends = shown_ends_;
    delta.end = end;
  }
  return delta;
}

}  // namespace baton::frontend
