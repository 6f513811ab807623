// Classifies characters of UTF-8 text for the hand-written split patterns, fast for ASCII.
//
// Threading: pure functions over constant tables.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {

// The distinctions that the known expressions make. Newline is CR or LF, which are spaces too.
enum class SplitClass : uint8_t { kOther, kLetter, kNumber, kSpace, kNewline };

// The class of each value of CharProperties.
using SplitClassTable = std::array<SplitClass, 256>;

namespace internal {

constexpr SplitClass ClassOf(CharProperties properties) {
  if (properties.white_space()) return SplitClass::kSpace;
  if (properties.Is(kLetters)) return SplitClass::kLetter;
  if (properties.Is(kNumbers)) return SplitClass::kNumber;
  return SplitClass::kOther;
}

constexpr SplitClassTable kClassOfProperties = [] {
  SplitClassTable table{};
  for (uint32_t i = 0; i < 256; ++i) {
    // Values that name no category do not occur.
    table[i] =
        (i & 0x1F) < 30 ? ClassOf(CharProperties(static_cast<uint8_t>(i))) : SplitClass::kOther;
  }
  return table;
}();

constexpr std::array<SplitClass, 128> kClassOfAscii = [] {
  std::array<SplitClass, 128> table{};
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = SplitClass::kLetter;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = SplitClass::kLetter;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = SplitClass::kNumber;
  for (const char c : {' ', '\t', '\v', '\f'}) table[static_cast<size_t>(c)] = SplitClass::kSpace;
  for (const char c : {'\r', '\n'}) table[static_cast<size_t>(c)] = SplitClass::kNewline;
  return table;
}();

}  // namespace internal

// A cursor's view of one text. Positions are byte offsets; every one handed in lies on a character.
class CharScan {
 public:
  // `classes`: of characters beyond ASCII.
  explicit CharScan(std::string_view text,
                    const SplitClassTable& classes = internal::kClassOfProperties)
      : text_(text), properties_(CharPropertyTable()), classes_(classes.data()) {}

  struct Char {
    SplitClass split_class;
    uint32_t length;  // in bytes
  };

  uint32_t size() const { return static_cast<uint32_t>(text_.size()); }
  unsigned char Byte(uint32_t at) const { return static_cast<unsigned char>(text_[at]); }

  // REQUIRES: at < size().
  Char At(uint32_t at) const {
    const unsigned char first = Byte(at);
    if (first < 0x80) return {internal::kClassOfAscii[first], 1};
    const Utf8Char decoded = DecodeNonAscii(text_.substr(at));
    return {classes_[properties_[decoded.code]], decoded.length};
  }

  bool Is(uint32_t at, SplitClass split_class) const {
    return at < size() && At(at).split_class == split_class;
  }

  // The end of the run of one class that starts at `at`, maybe `at` itself.
  uint32_t SkipRun(uint32_t at, SplitClass split_class) const {
    while (at < size()) {
      const Char next = At(at);
      if (next.split_class != split_class) break;
      at += next.length;
    }
    return at;
  }

 private:
  const std::string_view text_;
  const uint8_t* const properties_;
  const SplitClass* const classes_;
};

// The length of an English contraction ('s 't 're 've 'm 'll 'd) at the front, or 0. With
// `any_case`, as `(?i:…)` matches it: the long s (U+017F) counts as s.
uint32_t ContractionLength(std::string_view text, bool any_case);

// What `\s+(?!\S)|\s+` takes of a run of spaces [begin, end) in a text of `size` bytes: all of it
// at the end of the text, else all but the last character, or that one alone.
uint32_t SpaceRunEnd(std::string_view text, uint32_t begin, uint32_t end);

}  // namespace baton
