// The two shapes of generated tables: a byte for every code point, and a few characters for some.
//
// Threading: immutable once built.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace baton {

// Expands runs, `first code point << 8 | byte` each, into a flat table (1.1 MB).
class CodePointBytes {
 public:
  explicit CodePointBytes(std::span<const uint32_t> runs)
      : bytes_(std::make_unique<uint8_t[]>(kCount)) {
    for (size_t i = 0; i < runs.size(); ++i) {
      const uint32_t end = i + 1 < runs.size() ? runs[i + 1] >> 8 : kCount;
      std::fill(bytes_.get() + (runs[i] >> 8), bytes_.get() + end, static_cast<uint8_t>(runs[i]));
    }
  }
  uint8_t operator[](char32_t code) const { return bytes_[code < kCount ? code : 0xFFFD]; }
  const uint8_t* data() const { return bytes_.get(); }

 private:
  static constexpr uint32_t kCount = 0x110000;
  std::unique_ptr<uint8_t[]> bytes_;
};

// Finds entries of a list of `code point, length, its code points`, sorted.
// Ownership: the list outlives it.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::span<const uint32_t> list) : list_(list) {
    for (uint32_t i = 0; i < list.size(); i += list[i + 1] + 2) starts_.push_back(i);
  }

  // Empty when there is no entry.
  std::span<const uint32_t> Find(char32_t code) const {
    const auto start =
        std::lower_bound(starts_.begin(), starts_.end(), code,
                         [this](uint32_t at, char32_t value) { return list_[at] < value; });
    if (start == starts_.end() || list_[*start] != code) return {};
    return list_.subspan(*start + 2, list_[*start + 1]);
  }

 private:
  std::span<const uint32_t> list_;
  std::vector<uint32_t> starts_;
};

}  // namespace baton
