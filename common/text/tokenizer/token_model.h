// The third stage: turns each piece of text into tokens.
//
// Threading: implementations are thread-safe.
// Errors:    INVALID_ARGUMENT for text that the vocabulary cannot spell, when it has no token that
//            stands for the unknown.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "common/text/tokenizer/pre_tokenizer.h"

namespace baton {

class TokenModel {
 public:
  virtual ~TokenModel() = default;

  // Appends the tokens of every piece, in order.
  virtual absl::Status Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const = 0;
};

}  // namespace baton
