// Normalizers that rewrite one character at a time.
//
// Threading: immutable.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/text/tokenizer/normalizer.h"
#include "common/text/unicode/utf8.h"

namespace baton {

// `rewrite(code, out)` appends what becomes of a character, maybe nothing. Bytes that are not UTF-8
// are kept.
template <typename Rewrite>
void RewriteChars(std::string_view text, const Rewrite& rewrite, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char next = DecodeChar(text.substr(at));
    if (next.valid) {
      rewrite(next.code, out);
    } else {
      out.append(text.substr(at, next.length));
    }
    at += next.length;
  }
}

template <typename Rewrite>
class CharNormalizer : public Normalizer {
 public:
  explicit CharNormalizer(Rewrite rewrite) : rewrite_(std::move(rewrite)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    RewriteChars(text, rewrite_, storage);
    return std::string_view(storage);
  }

 private:
  const Rewrite rewrite_;
};

}  // namespace baton
