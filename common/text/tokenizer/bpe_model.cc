#include "common/text/tokenizer/bpe_model.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_fallback.h"
#include "common/text/tokenizer/word_cache.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

// Up to here scanning all pairs for the lowest beats a heap.
constexpr size_t kShortSymbolsMax = 192;

constexpr uint32_t kNoIndex = UINT32_MAX;

// Pairs of a short piece, each as `rank << 8 | position`, so that the lowest number is the next
// merge. Groups of 16 are compared by vector instructions.
constexpr uint32_t kKeyBits = 8;
constexpr int32_t kNoKey = INT32_MAX;
constexpr uint32_t kKeyRankMax = (1u << (31 - kKeyBits)) - 1;
constexpr size_t kKeyGroup = 16;
using KeyVector = int32_t __attribute__((vector_size(16)));

inline KeyVector LoadKeys(const int32_t* at) {
  KeyVector result;
  std::memcpy(&result, at, sizeof(result));
  return result;
}

inline KeyVector Lower(KeyVector a, KeyVector b) { return a < b ? a : b; }

// REQUIRES: count is a positive multiple of kKeyGroup.
inline int32_t LowestKey(const int32_t* keys, size_t count) {
  KeyVector low = LoadKeys(keys);
  for (size_t i = 0; i < count; i += kKeyGroup) {
    const KeyVector left = Lower(LoadKeys(keys + i), LoadKeys(keys + i + 4));
    const KeyVector right = Lower(LoadKeys(keys + i + 8), LoadKeys(keys + i + 12));
    low = Lower(low, Lower(left, right));
  }
  return std::min(std::min(low[0], low[1]), std::min(low[2], low[3]));
}

}  // namespace

// What one call of Encode works with; grows to its longest piece and is reused from piece to piece.
struct BpeModel::Scratch {
  explicit Scratch(size_t text_bytes) : cache(text_bytes) {}

  WordCache cache;
  std::vector<TokenId> symbols;
  std::vector<uint32_t> ranks;  // of symbol i with the one after it
  std::vector<uint32_t> next;   // linked list of the symbols left, for MergeLong
  std::vector<uint32_t> previous;
  std::vector<uint64_t> heap;    // rank << 32 | position
  std::string text;              // a unit or word with its affixes
  bool unknown_pending = false;  // an unknown unit that may fuse with the next
  bool unknown_unnamed = false;  // one that the file's missing token should stand for
  alignas(16) std::array<int32_t, kShortSymbolsMax> keys;
  std::array<uint8_t, kShortSymbolsMax> short_next;
  std::array<uint8_t, kShortSymbolsMax> short_previous;
};

absl::StatusOr<std::unique_ptr<const BpeModel>> BpeModel::Make(
    TokenTable tokens, std::span<const MergeTable::Merge> merges, MergeTable::Order order,
    BpeOptions options) {
  if (tokens.size() > MergeTable::kIdCountMax) {
    return Unimplemented(absl::StrCat("load tokenizer: BPE vocabulary of ", tokens.size(),
                                      " tokens, expected up to ",
                                      uint32_t{MergeTable::kIdCountMax}));
  }
  ASSIGN_OR_RETURN(MergeTable table, MergeTable::Build(merges, order));
  SafeCuts cuts(tokens, merges, options);
  return std::unique_ptr<const BpeModel>(
      new BpeModel(std::move(tokens), std::move(table), std::move(cuts), std::move(options)));
}

BpeModel::BpeModel(TokenTable tokens, MergeTable merges, SafeCuts cuts, BpeOptions options)
    : tokens_(std::move(tokens)),
      merges_(std::move(merges)),
      cuts_(std::move(cuts)),
      options_(std::move(options)),
      plain_(!options_.byte_fallback && options_.continuing_prefix.empty() &&
             options_.end_suffix.empty()),
      proofs_(tokens_.size()) {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[byte] = tokens_.Find({&c, 1});
    fallback_ids_[byte] = tokens_.Find(TokenOfByte(static_cast<uint8_t>(byte)));
  }
  const bool all_bytes = std::find(byte_ids_.begin(), byte_ids_.end(), kNoToken) == byte_ids_.end();
  if (options_.unit != BpeOptions::Unit::kByte || !plain_ || !all_bytes) return;
  byte_pair_ranks_.resize(size_t{1} << 16);
  for (size_t pair = 0; pair < byte_pair_ranks_.size(); ++pair) {
    byte_pair_ranks_[pair] = merges_.Rank(byte_ids_[pair >> 8], byte_ids_[pair & 0xFF]);
  }
}

absl::Status BpeModel::Encode(const PieceBuffer& pieces, std::vector<TokenId>& ids) const {
  Scratch scratch(pieces.text().size());
  for (const Piece piece : pieces.pieces()) {
    RETURN_IF_ERROR(EncodePiece(pieces.TextOf(piece), scratch, ids));
  }
  return absl::OkStatus();
}

absl::Status BpeModel::EncodePiece(std::string_view piece, Scratch& scratch,
                                   std::vector<TokenId>& ids) const {
  if (options_.ignore_merges) {
    const TokenId whole = tokens_.Find(piece);
    if (whole != kNoToken) {
      ids.push_back(whole);
      return absl::OkStatus();
    }
  }
  for (size_t end = 0; !piece.empty(); piece.remove_prefix(end)) {
    end = cuts_.WordEnd(piece);
    RETURN_IF_ERROR(EncodeWord(piece.substr(0, end), scratch, ids));
  }
  return absl::OkStatus();
}

TokenId BpeModel::FindWhole(std::string_view word, Scratch& scratch) const {
  if (options_.end_suffix.empty()) return tokens_.Find(word);
  scratch.text.assign(word).append(options_.end_suffix);
  return tokens_.Find(scratch.text);
}

absl::Status BpeModel::EncodeWord(std::string_view word, Scratch& scratch,
                                  std::vector<TokenId>& ids) const {
  const TokenId whole = FindWhole(word, scratch);
  size_t end = whole == kNoToken ? cuts_.PartEnd(word) : word.size();
  if (end == word.size()) return EncodePart(word, whole, scratch, ids);
  for (; !word.empty(); end = cuts_.PartEnd(word)) {
    const std::string_view part = word.substr(0, end);
    RETURN_IF_ERROR(EncodePart(part, FindWhole(part, scratch), scratch, ids));
    word.remove_prefix(end);
  }
  return absl::OkStatus();
}

absl::Status BpeModel::EncodePart(std::string_view part, TokenId whole, Scratch& scratch,
                                  std::vector<TokenId>& ids) const {
  if (whole != kNoToken && proofs_[whole].load(std::memory_order_relaxed) == kWhole) {
    ids.push_back(whole);
    return absl::OkStatus();
  }
  const std::span<const TokenId> known = scratch.cache.Find(part);
  if (!known.empty()) {
    ids.insert(ids.end(), known.begin(), known.end());
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Start(part, scratch));
  Merge(part, scratch);
  if (whole != kNoToken) {
    const bool same = scratch.symbols.size() == 1 && scratch.symbols[0] == whole;
    proofs_[whole].store(same ? kWhole : kMerged, std::memory_order_relaxed);
  }
  scratch.cache.Insert(part, scratch.symbols);
  ids.insert(ids.end(), scratch.symbols.begin(), scratch.symbols.end());
  return absl::OkStatus();
}

absl::Status BpeModel::Start(std::string_view word, Scratch& scratch) const {
  scratch.symbols.clear();
  scratch.unknown_pending = scratch.unknown_unnamed = false;
  if (!byte_pair_ranks_.empty()) {
    scratch.symbols.resize(word.size());
    std::transform(word.begin(), word.end(), scratch.symbols.begin(),
                   [this](char c) { return byte_ids_[static_cast<unsigned char>(c)]; });
    return absl::OkStatus();
  }
  const bool bytes = options_.unit == BpeOptions::Unit::kByte;
  for (size_t at = 0; at < word.size();) {
    const size_t length = bytes ? 1 : DecodeChar(word.substr(at)).length;
    AddUnit(word.substr(at, length), at == 0, at + length == word.size(), scratch);
    at += length;
  }
  if (scratch.unknown_pending) scratch.symbols.push_back(*options_.unk_id);
  if (scratch.unknown_unnamed) {
    return InvalidArgument("tokenize: a character outside the vocabulary, and so is unk_token");
  }
  return absl::OkStatus();
}

void BpeModel::AddUnit(std::string_view unit, bool first, bool last, Scratch& scratch) const {
  std::string_view text = unit;
  if (!plain_ && (!first || last)) {
    scratch.text.assign(first ? "" : options_.continuing_prefix).append(unit);
    if (last) scratch.text += options_.end_suffix;
    text = scratch.text;
  }
  const TokenId id =
      text.size() == 1 ? byte_ids_[static_cast<unsigned char>(text[0])] : tokens_.Find(text);
  if (id != kNoToken) {
    if (scratch.unknown_pending) scratch.symbols.push_back(*options_.unk_id);
    scratch.unknown_pending = false;
    scratch.symbols.push_back(id);
    return;
  }
  if (options_.byte_fallback && AddBytes(text, scratch)) return;
  AddUnknown(scratch);
}

void BpeModel::AddUnknown(Scratch& scratch) const {
  if (options_.unk_missing) scratch.unknown_unnamed = true;
  if (!options_.unk_id) return;
  // Written when it is certain that nothing fuses with it, as the reference does: byte tokens get
  // ahead of it.
  if (scratch.unknown_pending && !options_.fuse_unk) scratch.symbols.push_back(*options_.unk_id);
  scratch.unknown_pending = true;
}

bool BpeModel::AddBytes(std::string_view unit, Scratch& scratch) const {
  const size_t size = scratch.symbols.size();
  for (const char c : unit) {
    const TokenId id = fallback_ids_[static_cast<unsigned char>(c)];
    if (id == kNoToken) {
      scratch.symbols.resize(size);
      return false;
    }
    scratch.symbols.push_back(id);
  }
  return true;
}

void BpeModel::Merge(std::string_view word, Scratch& scratch) const {
  if (scratch.symbols.size() < 2) return;
  if (scratch.symbols.size() <= kShortSymbolsMax && merges_.size() < kKeyRankMax) {
    MergeShort(word, scratch);
  } else {
    MergeLong(scratch);
  }
}

// The keys of all pairs before anything merged.
void BpeModel::RatePairs(std::string_view word, Scratch& scratch) const {
  const size_t pairs = scratch.symbols.size() - 1;
  for (size_t i = 0; i < pairs; ++i) {
    uint32_t rank;
    if (byte_pair_ranks_.empty()) {
      rank = merges_.Rank(scratch.symbols[i], scratch.symbols[i + 1]);
    } else {
      const auto left = static_cast<unsigned char>(word[i]);
      const auto right = static_cast<unsigned char>(word[i + 1]);
      rank = byte_pair_ranks_[size_t{left} << 8 | right];
    }
    scratch.keys[i] =
        rank == MergeTable::kNoRank ? kNoKey : static_cast<int32_t>(rank << kKeyBits | i);
  }
}

void BpeModel::MergeShort(std::string_view word, Scratch& scratch) const {
  TokenId* symbols = scratch.symbols.data();
  const size_t count = scratch.symbols.size();
  int32_t* keys = scratch.keys.data();
  uint8_t* next = scratch.short_next.data();
  uint8_t* previous = scratch.short_previous.data();
  const auto rate = [&](size_t left, size_t right) {
    const uint32_t rank = merges_.Rank(symbols[left], symbols[right]);
    keys[left] =
        rank == MergeTable::kNoRank ? kNoKey : static_cast<int32_t>(rank << kKeyBits | left);
  };
  const size_t padded = (count + kKeyGroup - 1) / kKeyGroup * kKeyGroup;
  RatePairs(word, scratch);
  for (size_t i = count - 1; i < padded; ++i) keys[i] = kNoKey;
  for (size_t i = 0; i < count; ++i) {
    next[i] = static_cast<uint8_t>(i + 1);
    previous[i] = static_cast<uint8_t>(i - 1);
  }
  for (int32_t key = LowestKey(keys, padded); key != kNoKey; key = LowestKey(keys, padded)) {
    const size_t left = static_cast<uint32_t>(key) & ((1u << kKeyBits) - 1);
    const size_t right = next[left];
    const size_t after = next[right];
    symbols[left] = merges_.Product(static_cast<uint32_t>(key) >> kKeyBits);
    symbols[right] = kNoToken;  // it is gone
    keys[right] = kNoKey;
    next[left] = static_cast<uint8_t>(after);
    if (after < count) {
      previous[after] = static_cast<uint8_t>(left);
      rate(left, after);
    } else {
      keys[left] = kNoKey;
    }
    if (left > 0) rate(previous[left], left);
  }
  scratch.symbols.erase(std::remove(scratch.symbols.begin(), scratch.symbols.end(), kNoToken),
                        scratch.symbols.end());
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
