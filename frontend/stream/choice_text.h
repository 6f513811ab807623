// The text of one choice as its tokens arrive: detokenised without splitting a character, and ended
// by stop strings.
//
// Threading: owned by one generation's strand.
// Ownership: refers to tokenizer and stop strings, which outlive it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/incremental_detokenizer.h"
#include "frontend/stream/generation_types.h"
#include "frontend/stream/stop_matcher.h"

namespace baton::frontend {

class ChoiceText {
 public:
  explicit ChoiceText(const GenerationSpec& spec);

  struct Output {
    std::string_view text;                 // valid until the next call
    std::span<const size_t> text_ends;     // likewise; when the spec wants them
    size_t tokens_used = 0;                // those after it came behind a stop string
    const std::string* matched = nullptr;  // the stop string
  };

  // `tokens_before` are the choice's output so far, for the minimum length.
  Output Push(std::span<const TokenId> ids, size_t tokens_before);

  // What is still held back, when the choice ends without a stop string.
  std::string_view Flush();

 private:
  // Shows of the next token what no stop string can take any more; the stop string it completes.
  const std::string* Match(TokenId id, bool armed);

  IncrementalDetokenizer detokenizer_;
  std::string shown_;
  const bool wants_ends_;
  std::vector<size_t> ends_;
  StopMatcher matcher_;
  const size_t min_tokens_;
  std::string piece_;  // of one token, before it is matched
};

}  // namespace baton::frontend
