#include "common/text/tokenizer/bpe_model.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

// Up to here scanning all ranks for the lowest beats a heap.
constexpr size_t kShortSymbolsMax = 96;

constexpr uint32_t kNoIndex = UINT32_MAX;

}  // namespace

// What one call of Encode works with; grows to its longest piece and is reused from piece to piece.
struct BpeModel::Scratch {
  std::vector<TokenId> symbols;
  std::vector<uint32_t> ranks;  // of symbol i with the one after it
  std::vector<uint32_t> next;   // linked list of the symbols left, for MergeLong
  std::vector<uint32_t> previous;
  std::vector<uint64_t> heap;  // rank << 32 | position
};

absl::StatusOr<std::unique_ptr<const BpeModel>> BpeModel::Make(
    TokenTable tokens, std::span<const MergeTable::Merge> merges, const BpeOptions& options) {
  if (tokens.size() > MergeTable::kIdCountMax) {
    return Unimplemented(absl::StrCat("load tokenizer: BPE vocabulary of ", tokens.size(),
                                      " tokens, expected up to ",
                                      uint32_t{MergeTable::kIdCountMax}));
  }
  ASSIGN_OR_RETURN(MergeTable table, MergeTable::Build(merges));
  return std::unique_ptr<const BpeModel>(
      new BpeModel(std::move(tokens), std::move(table), options));
}

BpeModel::BpeModel(TokenTable tokens, MergeTable merges, const BpeOptions& options)
    : tokens_(std::move(tokens)),
      merges_(std::move(merges)),
      options_(options),
      proofs_(tokens_.size()) {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[byte] = tokens_.Find({&c, 1});
  }
}

void BpeModel::Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const {
  Scratch scratch;
  for (const Piece piece : pieces.pieces()) EncodePiece(pieces.TextOf(piece), scratch, ids);
}

void BpeModel::EncodePiece(std::string_view piece, Scratch& scratch,
                           std::vector<TokenId>& ids) const {
  const TokenId whole = tokens_.Find(piece);
  if (whole != kNoToken) {
    const uint8_t proof = proofs_[whole].load(std::memory_order_relaxed);
    if (proof == kWhole || options_.ignore_merges) {
      ids.push_back(whole);
      return;
    }
  }
  Merge(piece, scratch);
  if (whole != kNoToken) {
    const bool same = scratch.symbols.size() == 1 && scratch.symbols[0] == whole;
    proofs_[whole].store(same ? kWhole : kMerged, std::memory_order_relaxed);
  }
  ids.insert(ids.end(), scratch.symbols.begin(), scratch.symbols.end());
}

void BpeModel::Merge(std::string_view piece, Scratch& scratch) const {
  scratch.symbols.clear();
  bool unknown_before = false;
  for (const char c : piece) {
    const TokenId id = byte_ids_[static_cast<unsigned char>(c)];
    if (id != kNoToken) {
      scratch.symbols.push_back(id);
      unknown_before = false;
    } else if (options_.unk_id && !(unknown_before && options_.fuse_unk)) {
      scratch.symbols.push_back(*options_.unk_id);
      unknown_before = true;
    }
  }
  if (scratch.symbols.size() < 2) return;
  if (scratch.symbols.size() <= kShortSymbolsMax) {
    MergeShort(scratch);
  } else {
    MergeLong(scratch);
  }
}

void BpeModel::MergeShort(Scratch& scratch) const {
  TokenId* symbols = scratch.symbols.data();
  size_t count = scratch.symbols.size();
  scratch.ranks.resize(kShortSymbolsMax);
  uint32_t* ranks = scratch.ranks.data();
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = merges_.Rank(symbols[i], symbols[i + 1]);
  while (count > 1) {
    const uint32_t* lowest = std::min_element(ranks, ranks + count - 1);
    if (*lowest == MergeTable::kNoRank) break;
    const auto i = static_cast<size_t>(lowest - ranks);
    symbols[i] = merges_.Product(*lowest);
    std::copy(symbols + i + 2, symbols + count, symbols + i + 1);
    if (i + 2 < count) std::copy(ranks + i + 2, ranks + count - 1, ranks + i + 1);
    --count;
    if (i + 1 < count) ranks[i] = merges_.Rank(symbols[i], symbols[i + 1]);
    if (i > 0) ranks[i - 1] = merges_.Rank(symbols[i - 1], symbols[i]);
  }
  scratch.symbols.resize(count);
}

void BpeModel::MergeLong(Scratch& scratch) const {
  std::vector<TokenId>& symbols = scratch.symbols;
  const auto count = static_cast<uint32_t>(symbols.size());
  scratch.ranks.assign(count, MergeTable::kNoRank);
  scratch.next.resize(count);
  scratch.previous.resize(count);
  scratch.heap.clear();
  // Sets the rank of the pair at `i`; entries of the heap with another rank are stale from then on.
  const auto rate = [&](uint32_t i) {
    const uint32_t right = scratch.next[i];
    scratch.ranks[i] = right == kNoIndex ? uint32_t{MergeTable::kNoRank}
                                         : merges_.Rank(symbols[i], symbols[right]);
    return scratch.ranks[i] != MergeTable::kNoRank;
  };
  const auto entry = [&](uint32_t i) { return uint64_t{scratch.ranks[i]} << 32 | i; };
  const auto push = [&](uint32_t i) {
    if (!rate(i)) return;
    scratch.heap.push_back(entry(i));
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  };
  for (uint32_t i = 0; i < count; ++i) {
    scratch.previous[i] = i == 0 ? kNoIndex : i - 1;
    scratch.next[i] = i + 1 < count ? i + 1 : kNoIndex;
    if (rate(i)) scratch.heap.push_back(entry(i));
  }
  std::make_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  while (!scratch.heap.empty()) {
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(scratch.heap.back());
    const auto rank = static_cast<uint32_t>(scratch.heap.back() >> 32);
    scratch.heap.pop_back();
    if (scratch.ranks[i] != rank) continue;
    const uint32_t right = scratch.next[i];
    symbols[i] = merges_.Product(rank);
    scratch.ranks[right] = MergeTable::kNoRank;  // it is gone
    scratch.next[i] = scratch.next[right];
    if (scratch.next[i] != kNoIndex) scratch.previous[scratch.next[i]] = i;
    push(i);
    if (scratch.previous[i] != kNoIndex) push(scratch.previous[i]);
  }
  uint32_t out = 0;
  for (uint32_t i = 0; i != kNoIndex; i = scratch.next[i]) symbols[out++] = symbols[i];
  symbols.resize(out);
}

}  // namespace baton
