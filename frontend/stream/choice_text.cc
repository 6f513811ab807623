#include "frontend/stream/choice_text.h"

namespace baton::frontend {

ChoiceText::ChoiceText(const GenerationSpec& spec)
    : detokenizer_(*spec.model->tokenizer,
                   spec.skip_special_tokens ? SpecialTokens::kSkip : SpecialTokens::kKeep,
                   spec.kept_special_tokens),
      wants_ends_(spec.wants_text_ends),
      matcher_(spec.stop_strings, spec.stop_text),
      min_tokens_(spec.sampling.min_tokens()) {}

ChoiceText::Output ChoiceText::Push(std::span<const TokenId> ids, size_t tokens_before) {
  shown_.clear();
  ends_.clear();
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string* matched = nullptr;
    if (matcher_.empty()) {
      detokenizer_.Push(ids[i], shown_);
    } else {
      matched = Match(ids[i], /*armed=*/tokens_before + i + 1 > min_tokens_);
    }
    if (wants_ends_) ends_.push_back(shown_.size());
    if (matched != nullptr) {
      return {.text = shown_, .text_ends = ends_, .tokens_used = i + 1, .matched = matched};
    }
  }
  return {.text = shown_, .text_ends = ends_, .tokens_used = ids.size()};
}

const std::string* ChoiceText::Match(TokenId id, bool armed) {
  piece_.clear();
  detokenizer_.Push(id, piece_);
  const StopMatcher::Output out = matcher_.Push(piece_, armed);
  shown_ += out.text;
  return out.matched;
}

std::string_view ChoiceText::Flush() {
  piece_.clear();
  detokenizer_.Finish(piece_);
  // A half character cannot complete a stop string any more than the model's end can be undone.
  shown_ = matcher_.Flush();
  shown_ += piece_;
  return shown_;
}

}  // namespace baton::frontend
