// sentencepiece's precompiled_charsmap: a trie of strings, each with what it is rewritten to.
//
// Threading: immutable once built. Ownership: owns its tables.
// Errors:    INVALID_ARGUMENT from Parse for a blob whose parts do not fit together.
#pragma once

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

  // What the shortest entry that `text` starts with is rewritten to; nothing when there is none.
  std::optional<std::string_view> Find(std::string_view text) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
};

// Rewrites grapheme clusters of less than six bytes whole, by their beginning, and the characters
// of others one by one: as the reference does.
class CharsmapNormalizer : public Normalizer {
 public:
  explicit CharsmapNormalizer(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override;
  bool DropsFront(std::string_view text) const override;

 private:
  // Appends what becomes of the cluster at the front of `text`, and returns its length.
  size_t AppendCluster(std::string_view text, std::string& out) const;

  const Charsmap charsmap_;
};

}  // namespace baton
