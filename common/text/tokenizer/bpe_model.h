// Byte-pair encoding: starts from one token per byte or character and merges the neighbours of
// lowest rank, leftmost first, until no pair merges.
//
// Most pieces of real text are tokens themselves and are found by one look-up. That short cut is
// only right if merging would lead to the same token, so it is proven for each token when it is
// first met. Other words are cut where no merge crosses (SafeCuts), and what comes again in the
// same text is merged once.
//
// Threading: thread-safe. Immutable but for the memo of those proofs, one relaxed atomic per token
//            whose every writer writes the same value.
// Errors:    those of MergeTable from Make.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/bpe_options.h"
#include "common/text/tokenizer/merge_table.h"
#include "common/text/tokenizer/safe_cuts.h"
#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

class BpeModel : public TokenModel {
 public:
  // `tokens`: the bytes of each token of the model, indexed; a hole for tokens that no bytes spell.
  static absl::StatusOr<std::unique_ptr<const BpeModel>> Make(
      TokenTable tokens, std::span<const MergeTable::Merge> merges, MergeTable::Order order,
      BpeOptions options);

  absl::Status Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const override;

 private:
  struct Scratch;
  enum Proof : uint8_t { kUnknown, kWhole, kMerged };

  BpeModel(TokenTable tokens, MergeTable merges, SafeCuts cuts, BpeOptions options);

  absl::Status EncodePiece(std::string_view piece, Scratch& scratch,
                           std::vector<TokenId>& ids) const;
  absl::Status EncodeWord(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const;

  // Encodes what is not cut further; `whole`: the token that it is, or kNoToken.
  absl::Status EncodePart(std::string_view part, TokenId whole, Scratch& scratch,
                          std::vector<TokenId>& ids) const;

  // The token that a whole word is, affix included.
  TokenId FindWhole(std::string_view word, Scratch& scratch) const;

  // Fills scratch.symbols with one symbol per unit.
  absl::Status Start(std::string_view word, Scratch& scratch) const;
  void AddUnit(std::string_view unit, bool first, bool last, Scratch& scratch) const;
  void AddUnknown(Scratch& scratch) const;
  bool AddBytes(std::string_view unit, Scratch& scratch) const;

  // `word` is what the symbols were made from.
  void Merge(std::string_view word, Scratch& scratch) const;
  void MergeShort(std::string_view word, Scratch& scratch) const;
  void RatePairs(std::string_view word, Scratch& scratch) const;
  void MergeLong(Scratch& scratch) const;

  const TokenTable tokens_;
  const MergeTable merges_;
  const SafeCuts cuts_;
  const BpeOptions options_;
  const bool plain_;                       // neither affixes nor byte fallback
  std::array<TokenId, 256> byte_ids_;      // of one-byte tokens; constant after construction
  std::array<TokenId, 256> fallback_ids_;  // of "<0x00>" and so on

  // The rank of every pair of bytes, where each byte is a symbol of its own to begin with; else
  // empty.
  std::vector<uint32_t> byte_pair_ranks_;

  // By token id.
  mutable std::vector<std::atomic<uint8_t>> proofs_;
};

}  // namespace baton
