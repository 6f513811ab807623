// sentencepiece's precompiled_charsmap: a trie of strings, each with what it is rewritten to.
//
// Threading: immutable once built. Ownership: owns its tables.
// Errors:    INVALID_ARGUMENT from Parse for a blob whose parts do not fit together.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/normalizer.h"

namespace baton {

class Charsmap {
 public:
  // Rewrites nothing.
  Charsmap() = default;

  // A 32-bit size, a double-array trie of that many bytes, then strings that end in NUL.
  static absl::StatusOr<Charsmap> Parse(std::string_view bytes);

  // What becomes of the front of a text: the longest entry is rewritten, or one character kept.
  // Bytes that are not UTF-8 become U+FFFD.
  struct Rewrite {
    size_t length;  // of what is rewritten
    std::string_view text;
  };
  // REQUIRES: text is not empty.
  Rewrite RewriteFront(std::string_view text) const;

  // How much of the front of `text` surely stays as it is; 0 says nothing.
  size_t KeptFront(std::string_view text) const;

  // What the shortest entry that `text` starts with is rewritten to; nothing when there is none.
  std::optional<std::string_view> Find(std::string_view text) const;

 private:
  // Calls `visit(length, replacement)` for each entry that `text` starts with, shortest first,
  // until it returns false.
  template <typename Visit>
  void ForEachPrefix(std::string_view text, Visit&& visit) const;

  bool IsKept(unsigned char ascii) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  std::array<bool, 128> kept_{};  // ASCII that no entry begins with, but for more than ASCII behind
};

// Rewrites grapheme clusters of less than six bytes whole, by their beginning, and the characters
// of others one by one: as the reference does.
class CharsmapNormalizer : public Normalizer {
 public:
  explicit CharsmapNormalizer(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override;
  size_t FrontAfter(std::string_view text, size_t front) const override;

 private:
  // Calls `visit(part, replacement)` for the parts of the cluster at the front of `text`; for those
  // that stay without a replacement. Returns the cluster's length.
  template <typename Visit>
  size_t RewriteCluster(std::string_view text, Visit&& visit) const;

  const Charsmap charsmap_;
};

}  // namespace baton
