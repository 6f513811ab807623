// A unigram language model: of all ways to cut a piece into tokens, the one with the highest sum of
// scores.
//
// Threading: immutable.
// Errors:    INVALID_ARGUMENT from Make for an unknown token outside the vocabulary.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/token_table.h"
#include "common/text/tokenizer/token_trie.h"

namespace baton {

struct UnigramOptions {
  // Stands for characters that no token spells; several in a row become one.
  std::optional<TokenId> unk_id;

  // Those characters become the tokens of their bytes ("<0xE2>"), if all exist.
  bool byte_fallback = false;

  // By id: tokens that text never becomes, however it is spelled. Empty: none.
  std::vector<bool> hidden;
};

class UnigramModel : public TokenModel {
 public:
  // One score for each token, and what hides them if anything does.
  static absl::StatusOr<std::unique_ptr<const UnigramModel>> Make(TokenTable tokens,
                                                                  std::span<const double> scores,
                                                                  const UnigramOptions& options);

  absl::Status Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const override;

 private:
  // The best way to reach a position.
  struct Best {
    double score;
    uint32_t begin;  // of its last token; kUnreached for none
    TokenId id;
  };

  UnigramModel(TokenTable tokens, std::span<const double> scores, const UnigramOptions& options);

  bool IsHidden(TokenId id) const { return !options_.hidden.empty() && options_.hidden[id]; }

  absl::Status EncodePiece(std::string_view piece, std::vector<Best>& best,
                           std::vector<TokenId>& ids) const;
  absl::Status Search(std::string_view piece, std::vector<Best>& best) const;
  absl::Status AppendUnknown(std::string_view text, std::vector<TokenId>& ids) const;

  const TokenTable tokens_;
  const UnigramOptions options_;
  std::vector<double> scores_;  // by id; constant after construction
  double unk_score_ = 0;        // of a character that no token spells
  TokenTrie trie_;
  std::array<TokenId, 256> fallback_ids_;  // of "<0x00>" and so on
};

}  // namespace baton
