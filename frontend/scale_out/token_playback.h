// The tokens of a choice that was generated elsewhere, told as its generation would have told them:
// as text without the token that stopped it, cut at a stop string.
//
//   TokenPlayback playback(spec);
//   for (...) format.AppendDelta(0, playback.Next(ids, logprobs, end), …);
//
// Threading: thread-compatible. Ownership: the spec outlives it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "baton/v1/inference.pb.h"
#include "common/base/ids.h"
#include "frontend/stream/choice_text.h"
#include "frontend/stream/generation_types.h"

namespace baton::frontend {

// Those of `ids` that are text: without the token that was the choice's end, unless the request
// wants to see it. `end` is null while there is none.
std::span<const TokenId> TokensOfText(const GenerationSpec& spec, std::span<const TokenId> ids,
                                      const ChoiceEnd* end);

class TokenPlayback {
 public:
  explicit TokenPlayback(const GenerationSpec& spec) : spec_(spec), text_(spec) {}

  // The next tokens; `end` with the last of them. What comes behind a stop string is nothing. Views
  // are valid until the next call.
  ChoiceDelta Next(std::span<const TokenId> ids, const v1::TokenLogprobs* logprobs,
                   const ChoiceEnd* end);

 private:
  const GenerationSpec& spec_;
  ChoiceText text_;
  size_t count_ = 0;
  bool over_ = false;
  // Of the last delta.
  ChoiceEnd end_;
  std::string shown_;
  std::vector<size_t> shown_ends_;
};

}  // namespace baton::frontend
