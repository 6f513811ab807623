// The last stage, backwards: what a token of the vocabulary adds to the text.
//
// Threading: implementations are immutable and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace baton {

class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;

  // The bytes of one token, wherever it stands. They need not be whole characters.
  virtual std::string BytesOf(std::string_view token) const = 0;
};

}  // namespace baton
