// Strings by token id, and ids by string: the two halves of a vocabulary, in flat memory.
//
// Threading: immutable once filled. Ownership: owns all strings; views are valid until it is moved
// from or destroyed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"

namespace baton {

inline constexpr TokenId kNoToken = UINT32_MAX;

class TokenTable {
 public:
  TokenTable() = default;

  // Gives the next id to a string; an empty one is a hole in the vocabulary and is never found.
  // REQUIRES: BuildIndex was not called yet.
  void Append(std::string_view text);

  // Makes Find possible. Of equal strings the last one is found.
  void BuildIndex();

  size_t size() const { return ends_.size(); }

  // Empty for ids out of range.
  std::string_view operator[](TokenId id) const {
    if (id >= ends_.size()) return {};
    const uint32_t begin = id == 0 ? 0 : ends_[id - 1];
    return {bytes_.data() + begin, ends_[id] - begin};
  }

  // kNoToken when absent.
  TokenId Find(std::string_view text) const;

 private:
  // Strings of up to 8 bytes are their own key, so that finding one touches one cache line; longer
  // ones have a hash as key and are compared in `bytes_`.
  struct Slot {
    uint64_t key;
    uint32_t length;  // 0: empty
    TokenId id;
  };

  void Insert(TokenId id);

  std::string bytes_;
  std::vector<uint32_t> ends_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  uint32_t shift_ = 63;
};

}  // namespace baton
