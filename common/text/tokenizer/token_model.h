// The third stage: turns each piece of text into tokens.
//
// Threading: implementations are thread-safe.
#pragma once

#include <vector>

#include "common/base/ids.h"
#include "common/text/tokenizer/pre_tokenizer.h"

namespace baton {

class TokenModel {
 public:
  virtual ~TokenModel() = default;

  // Appends the tokens of every piece, in order.
  virtual void Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const = 0;
};

}  // namespace baton
