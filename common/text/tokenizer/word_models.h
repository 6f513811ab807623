// The models of whole words: WordPiece, which cuts a word into its longest tokens from the left,
// and WordLevel, which knows it or not.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

struct WordPieceOptions {
  std::optional<TokenId> unk_id;  // stands for words that cannot be cut
  std::string continuing_prefix = "##";
  uint64_t word_chars_max = 100;  // longer ones are unknown
};

class WordPieceModel : public TokenModel {
 public:
  WordPieceModel(TokenTable tokens, WordPieceOptions options)
      : tokens_(std::move(tokens)), options_(std::move(options)) {}

  absl::Status Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const override;

 private:
  // Appends the tokens of a word; false when it has none.
  bool AppendWord(std::string_view word, std::string& buffer, std::vector<TokenId>& ids) const;

  const TokenTable tokens_;
  const WordPieceOptions options_;
};

class WordLevelModel : public TokenModel {
 public:
  WordLevelModel(TokenTable tokens, std::optional<TokenId> unk_id)
      : tokens_(std::move(tokens)), unk_id_(unk_id) {}

  absl::Status Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const override;

 private:
  const TokenTable tokens_;
  const std::optional<TokenId> unk_id_;
};

}  // namespace baton
