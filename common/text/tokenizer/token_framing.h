// The stage after the model, called post_processor in tokenizer.json: which special tokens stand
// around the tokens of a text.
//
// Threading: implementations are immutable and thread-safe.
#pragma once

#include <vector>

#include "common/base/ids.h"

namespace baton {

// Ids before and after the text's own.
struct SpecialTokenFrame {
  std::vector<TokenId> before;
  std::vector<TokenId> after;
};

class TokenFraming {
 public:
  virtual ~TokenFraming() = default;

  // Adds this processor's tokens around what `frame` has so far. Called once, when the tokenizer is
  // built.
  virtual void Surround(SpecialTokenFrame& frame) const = 0;
};

}  // namespace baton
