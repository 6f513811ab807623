#include "common/text/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {

absl::StatusOr<MergeTable> MergeTable::Build(std::span<const Merge> merges) {
  if (merges.size() >= kNoRank) {
    return Unimplemented(absl::StrCat("load tokenizer: ", merges.size(), " merges, expected below ",
                                      uint32_t{kNoRank}));
  }
  MergeTable table;
  const size_t capacity = std::bit_ceil(merges.size() * 2 + 2);
  table.slots_.assign(capacity, kEmpty);
  table.mask_ = capacity - 1;
  table.shift_ = 64 - static_cast<uint32_t>(std::countr_zero(capacity));
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    if (std::max({merge.left, merge.right, merge.product}) >> kIdBits != 0) {
      return Unimplemented(absl::StrCat("load tokenizer: merge ", rank,
                                        " has a token id, expected below ", uint32_t{kIdCountMax}));
    }
    const uint64_t pair = uint64_t{merge.left} << kIdBits | merge.right;
    uint64_t i = (pair * kMultiplier) >> table.shift_;
    while (table.slots_[i] != kEmpty && table.slots_[i] >> kRankBits != pair) {
      i = (i + 1) & table.mask_;
    }
    table.slots_[i] = pair << kRankBits | rank;
    table.products_.push_back(merge.product);
  }
  return table;
}

}  // namespace baton
