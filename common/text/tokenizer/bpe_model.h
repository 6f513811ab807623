// Byte-pair encoding over bytes: starts from one token per byte and merges the neighbours of lowest
// rank, leftmost first, until no pair merges.
//
// Most pieces of real text are tokens themselves and are found by one look-up. That short cut is
// only right if merging would lead to the same token, so it is proven for each token when it is
// first met.
//
// Threading: thread-safe. Immutable but for the memo of those proofs, one relaxed atomic per token
// whose every writer writes the same value. Errors:    those of MergeTable from Make.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/merge_table.h"
#include "common/text/tokenizer/token_model.h"
#include "common/text/tokenizer/token_table.h"

namespace baton {

struct BpeOptions {
  // A piece that is a token needs no merges to be one (Llama 3).
  bool ignore_merges = false;

  // Stands for bytes without a token of their own, which vanish without it; several in a row become
  // one if `fuse_unk`.
  std::optional<TokenId> unk_id = std::nullopt;
  bool fuse_unk = false;
};

class BpeModel : public TokenModel {
 public:
  // `tokens`: the bytes of each token of the model, indexed; a hole for tokens that no bytes spell.
  static absl::StatusOr<std::unique_ptr<const BpeModel>> Make(
      TokenTable tokens, std::span<const MergeTable::Merge> merges, const BpeOptions& options);

  void Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const override;

 private:
  struct Scratch;
  enum Proof : uint8_t { kUnknown, kWhole, kMerged };

  BpeModel(TokenTable tokens, MergeTable merges, const BpeOptions& options);

  void EncodePiece(std::string_view piece, Scratch& scratch, std::vector<TokenId>& ids) const;

  // Fills scratch with one symbol per byte, merges them, and leaves the result there.
  void Merge(std::string_view piece, Scratch& scratch) const;
  void MergeShort(Scratch& scratch) const;
  void MergeLong(Scratch& scratch) const;

  const TokenTable tokens_;
  const MergeTable merges_;
  const BpeOptions options_;
  std::array<TokenId, 256> byte_ids_;  // constant after construction

  // By token id.
  mutable std::vector<std::atomic<uint8_t>> proofs_;
};

}  // namespace baton
