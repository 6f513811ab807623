// The tokens of words that were merged before in the same text: half of the words that are no
// tokens come again soon. A direct-mapped table of one cache line per word; a new word drives out
// the one in its place.
//
// Threading: belongs to one call of Encode.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/ids.h"

namespace baton {

class WordCache {
 public:
  // Makes room in proportion to the text; a short one repeats too little to be worth any.
  explicit WordCache(size_t text_bytes);

  // The tokens of `word`; none when it is not here. Valid until the next Insert.
  std::span<const TokenId> Find(std::string_view word) const;

  // Long words, and those of many tokens, are not kept.
  void Insert(std::string_view word, std::span<const TokenId> ids);

 private:
  static constexpr size_t kWordBytesMax = 26;
  static constexpr size_t kIdsMax = 9;

  struct alignas(64) Slot {
    uint8_t bytes = 0;  // 0: empty
    uint8_t count = 0;
    std::array<char, kWordBytesMax> word;
    std::array<TokenId, kIdsMax> ids;
  };
  static_assert(sizeof(Slot) == 64);

  size_t SlotOf(std::string_view word) const;

  std::vector<Slot> slots_;  // a power of two, or none
};

}  // namespace baton
