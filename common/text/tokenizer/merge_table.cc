#include "common/text/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {

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
    uint64_t i = (pair * kMultiplier) >> table.shift_;
    while (table.slots_[i] != kEmpty && table.slots_[i] >> kRankBits != pair) {
      i = (i + 1) & table.mask_;
    }
    table.slots_[i] = pair << kRankBits | rank;
  }
  return table;
}

}  // namespace baton
