// Which pairs of tokens merge, in what order, and into what: one 8-byte slot per pair. Most pairs
// that are asked about do not merge; a filter of a byte or two per merge says so from a nearer
// cache.
//
// Threading: immutable once built.
// Errors:    UNIMPLEMENTED from Build beyond kIdCountMax token ids or 2^24 - 1 merges, the room in
// a slot.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"

namespace baton {

class MergeTable {
 public:
  static constexpr uint32_t kNoRank = (1u << 24) - 1;
  static constexpr uint32_t kIdCountMax = 1u << 20;

  struct Merge {
    TokenId left;
    TokenId right;
    TokenId product;
  };

  // What goes first: the earlier merge, or that with the earlier product, whatever its parts; those
  // of one product stand together then.
  enum class Order : uint8_t { kByMerge, kByProduct };

  // Of equal pairs the last one counts.
  static absl::StatusOr<MergeTable> Build(std::span<const Merge> merges,
                                          Order order = Order::kByMerge);

  // kNoRank when the pair does not merge. REQUIRES: ids are below kIdCountMax.
  uint32_t Rank(TokenId left, TokenId right) const {
    const uint64_t pair = uint64_t{left} << kIdBits | right;
    const uint64_t hash = pair * kMultiplier;
    const uint64_t bit = hash >> filter_shift_;
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return kNoRank;
    for (uint64_t i = hash >> shift_;; i = (i + 1) & mask_) {
      const uint64_t slot = slots_[i];
      if (slot >> kRankBits == pair) return static_cast<uint32_t>(slot & kNoRank);
      if (slot == kEmpty) return kNoRank;
    }
  }

  TokenId Product(uint32_t rank) const { return products_[rank]; }
  size_t size() const { return products_.size(); }

 private:
  static constexpr uint32_t kIdBits = 20;
  static constexpr uint32_t kRankBits = 24;
  static constexpr uint64_t kEmpty = UINT64_MAX;  // its rank is kNoRank, which no merge has
  static constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15u;

  MergeTable() = default;

  std::vector<uint64_t> slots_;    // left, right, rank; a power of two, at most half full
  std::vector<uint64_t> filter_;   // a bit for every hash of a pair that merges
  std::vector<TokenId> products_;  // by rank
  uint64_t mask_ = 0;
  uint32_t shift_ = 0;
  uint32_t filter_shift_ = 0;
};

}  // namespace baton
