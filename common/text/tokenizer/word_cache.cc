#include "common/text/tokenizer/word_cache.h"

#include <algorithm>
#include <bit>

#include "absl/hash/hash.h"

namespace baton {
namespace {

constexpr size_t kTextBytesMin = 2048;
constexpr size_t kTextBytesPerSlot = 64;
constexpr size_t kSlotsMax = 8192;

}  // namespace

WordCache::WordCache(size_t text_bytes) {
  if (text_bytes < kTextBytesMin) return;
  slots_.resize(std::min(std::bit_ceil(text_bytes / kTextBytesPerSlot), kSlotsMax));
}

size_t WordCache::SlotOf(std::string_view word) const {
  return absl::Hash<std::string_view>{}(word) & (slots_.size() - 1);
}

std::span<const TokenId> WordCache::Find(std::string_view word) const {
  if (slots_.empty() || word.size() > kWordBytesMax) return {};
  const Slot& slot = slots_[SlotOf(word)];
  if (std::string_view(slot.word.data(), slot.bytes) != word) return {};
  return {slot.ids.data(), slot.count};
}

void WordCache::Insert(std::string_view word, std::span<const TokenId> ids) {
  if (slots_.empty() || word.size() > kWordBytesMax || ids.size() > kIdsMax) return;
  Slot& slot = slots_[SlotOf(word)];
  slot.bytes = static_cast<uint8_t>(word.size());
  slot.count = static_cast<uint8_t>(ids.size());
  std::copy(word.begin(), word.end(), slot.word.begin());
  std::copy(ids.begin(), ids.end(), slot.ids.begin());
}

}  // namespace baton
