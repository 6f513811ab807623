// The first stage: rewrites a piece of text before it is cut.
//
// Threading: implementations are immutable and thread-safe.
// Errors:    INVALID_ARGUMENT when an expression takes too many steps on this text.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Returns the normalized text: `text`, or a part of it, when no byte changes, else a view of
  // `storage`. REQUIRES: `text` is not a view of `storage`.
  virtual absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                                     std::string& storage) const = 0;

  // True when nothing is left of the first character of `text`. Metaspace asks, which marks only
  // what stands at the very front.
  virtual bool DropsFront(std::string_view /*text*/) const { return false; }
};

}  // namespace baton
