// The first stage: rewrites a piece of text before it is cut.
//
// Threading: implementations are immutable and thread-safe.
// Errors:    INVALID_ARGUMENT when an expression takes too many steps on this text, or makes it
//            longer than NormalizedBytesMax.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

// What normalizers may make of a text of so many bytes: far above what real ones do.
constexpr size_t NormalizedBytesMax(size_t text_bytes) {
  return (size_t{1} << 20) + 64 * text_bytes;
}

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Returns the normalized text: `text`, or a part of it, when no byte changes, else a view of
  // `storage`. REQUIRES: `text` is not a view of `storage`.
  virtual absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                                     std::string& storage) const = 0;

  // How many bytes of what Normalize makes of `text` come from its first `front` bytes, which are
  // whole characters, as the reference accounts for origins. Metaspace asks, which may mark only
  // what comes from the first character. As it stands, it is right for those that rewrite one
  // character at a time.
  virtual size_t FrontAfter(std::string_view text, size_t front) const {
    std::string storage;
    const auto result = Normalize(text.substr(0, front), storage);
    return result.ok() ? result->size() : 0;
  }
};

}  // namespace baton
