// Byte-level pieces as the letters that stand for their bytes, for the rare files in which
// something looks at those letters: a component after ByteLevel, or byte fallback.
//
// Threading: immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/pre_tokenizer.h"

namespace baton {

class ByteLetters : public PreTokenizer {
 public:
  // REQUIRES: inner->byte_level().
  explicit ByteLetters(std::unique_ptr<const PreTokenizer> inner) : inner_(std::move(inner)) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    RETURN_IF_ERROR(inner_->Cut(pieces));
    return pieces.RewritePieces(
        [](std::string_view text, bool, std::string& out) { AppendLetters(text, out); });
  }

  bool marks_front() const override { return inner_->marks_front(); }

 private:
  const std::unique_ptr<const PreTokenizer> inner_;
};

}  // namespace baton
