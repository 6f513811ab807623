#include "worker/kv_storage/kv_storage.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton::worker {

absl::StatusOr<KvStorage> KvStorage::Create(const KvLayout& layout, int32_t layer_count,
                                            int32_t block_count) {
  if (layer_count < 1) {
    return InvalidArgument(absl::StrCat("kv storage: layer_count=", layer_count, "/>0"));
  }
  if (block_count < 1) {
    return InvalidArgument(absl::StrCat("kv storage: block_count=", block_count, "/>0"));
  }
  const size_t bytes =
      layout.block_bytes() * static_cast<size_t>(layer_count) * static_cast<size_t>(block_count);
  ASSIGN_OR_RETURN(Buffer buffer, Buffer::Allocate(bytes, Buffer::Pages::kSmall));
  return KvStorage(layout, layer_count, block_count, std::move(buffer));
}

KvStorage::KvStorage(const KvLayout& layout, int32_t layer_count, int32_t block_count, Buffer bytes)
    : layout_(layout),
      layer_count_(layer_count),
      block_count_(block_count),
      bytes_(std::move(bytes)) {}

KvLayerView KvStorage::Layer(int32_t layer) {
  BATON_DCHECK(layer >= 0 && layer < layer_count_);
  return {.data = bytes_.data() + static_cast<size_t>(layer) * layout_.block_bytes(),
          .layout = layout_,
          .block_stride = block_bytes()};
}

absl::Span<std::byte> KvStorage::BlockBytes(BlockId block) {
  BATON_CHECK(block.value() >= 0 && block.value() < block_count_)
      << "kv storage: block=" << block.value() << "/" << block_count_;
  return {bytes_.data() + static_cast<size_t>(block.value()) * block_bytes(), block_bytes()};
}

absl::Span<std::byte> KvStorage::BlockBytes(int32_t layer, BlockId block) {
  BATON_DCHECK(layer >= 0 && layer < layer_count_);
  return BlockBytes(block).subspan(static_cast<size_t>(layer) * layout_.block_bytes(),
                                   layout_.block_bytes());
}

void KvStorage::CopyBlock(BlockId from, BlockId to, const ComputeSlice& slice) {
  BATON_CHECK(from != to) << "kv storage: copy onto itself: block=" << from.value();
  const ComputeSlice::Range share = slice.Share(static_cast<int64_t>(block_bytes()));
  std::memcpy(BlockBytes(to).data() + share.begin, BlockBytes(from).data() + share.begin,
              static_cast<size_t>(share.end - share.begin));
}

}  // namespace baton::worker
