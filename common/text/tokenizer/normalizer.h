// The first stage: rewrites a piece of text before it is cut.
//
// Threading: implementations are immutable and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace baton {

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Returns the normalized text: `text` itself when nothing changes, else a view of `storage`.
  // REQUIRES: `text` is not a view of `storage`.
  virtual std::string_view Normalize(std::string_view text, std::string& storage) const = 0;
};

}  // namespace baton
