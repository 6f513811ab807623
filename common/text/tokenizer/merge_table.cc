#include "common/text/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {
namespace {

constexpr size_t kFilterBitsPerSlot =
    4;  // 8 to 16 per merge: one of ten pairs is asked for in vain

}  // namespace

absl::StatusOr<MergeTable> MergeTable::Build(std::span<const Merge> merges, Order order) {
  if (merges.size() >= kNoRank) {
    return Unimplemented(absl::StrCat("load tokenizer: ", merges.size(), " merges, expected below ",
                                      uint32_t{kNoRank}));
  }
  MergeTable table;
  const size_t capacity = std::bit_ceil(merges.size() * 2 + 2);
  table.slots_.assign(capacity, kEmpty);
  table.mask_ = capacity - 1;
  table.shift_ = 64 - static_cast<uint32_t>(std::countr_zero(capacity));
  const size_t filter_bits = std::max<size_t>(64, capacity * kFilterBitsPerSlot);
  table.filter_.assign(filter_bits / 64, 0);
  table.filter_shift_ = 64 - static_cast<uint32_t>(std::countr_zero(filter_bits));
  for (const Merge& merge : merges) {
    if (std::max({merge.left, merge.right, merge.product}) >> kIdBits != 0) {
      return Unimplemented(absl::StrCat("load tokenizer: merge ", &merge - merges.data(),
                                        " has a token id, expected below ", uint32_t{kIdCountMax}));
    }
    const bool same_rank = order == Order::kByProduct && !table.products_.empty() &&
                           table.products_.back() == merge.product;
    if (!same_rank) table.products_.push_back(merge.product);
    const auto rank = static_cast<uint32_t>(table.products_.size() - 1);
    const uint64_t pair = uint64_t{merge.left} << kIdBits | merge.right;
    const uint64_t hash = pair * kMultiplier;
    const uint64_t bit = hash >> table.filter_shift_;
    table.filter_[bit / 64] |= uint64_t{1} << (bit % 64);
    uint64_t i = hash >> table.shift_;
    while (table.slots_[i] != kEmpty && table.slots_[i] >> kRankBits != pair) {
      i = (i + 1) & table.mask_;
    }
    table.slots_[i] = pair << kRankBits | rank;
  }
  return table;
}

}  // namespace baton
