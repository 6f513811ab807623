// What Unicode says of a character, one byte each: its general category and three facts that the
// tokenizers need. The tables' Unicode levels are those of the reference tokenizers; see
// generate_tables.py.
//
// Threading: pure functions over a table that is built on first use (1.1 MB, under a millisecond).
#pragma once

#include <cstdint>

namespace baton {

// In the order of generate_tables.py.
enum class Category : uint8_t {
  kCn,
  kCc,
  kCf,
  kCo,
  kCs,
  kLl,
  kLm,
  kLo,
  kLt,
  kLu,
  kMc,
  kMe,
  kMn,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPe,
  kPf,
  kPi,
  kPo,
  kPs,
  kSc,
  kSk,
  kSm,
  kSo,
  kZl,
  kZp,
  kZs,
};

// A set of categories, so that one test answers "is it any of these".
using CategorySet = uint32_t;
constexpr CategorySet SetOf(Category category) { return 1u << static_cast<uint32_t>(category); }
template <typename... Rest>
constexpr CategorySet SetOf(Category category, Rest... rest) {
  return SetOf(category) | SetOf(rest...);
}
inline constexpr CategorySet kLetters =
    SetOf(Category::kLl, Category::kLm, Category::kLo, Category::kLt, Category::kLu);
inline constexpr CategorySet kMarks = SetOf(Category::kMc, Category::kMe, Category::kMn);
inline constexpr CategorySet kNumbers = SetOf(Category::kNd, Category::kNl, Category::kNo);
inline constexpr CategorySet kPunctuation =
    SetOf(Category::kPc, Category::kPd, Category::kPe, Category::kPf, Category::kPi, Category::kPo,
          Category::kPs);
inline constexpr CategorySet kSymbols =
    SetOf(Category::kSc, Category::kSk, Category::kSm, Category::kSo);

// The byte of one character. A value type, so that a 256-entry table can be derived from it.
class CharProperties {
 public:
  constexpr explicit CharProperties(uint8_t bits) : bits_(bits) {}
  constexpr Category category() const { return static_cast<Category>(bits_ & 0x1F); }
  constexpr bool Is(CategorySet set) const { return (set >> (bits_ & 0x1F) & 1) != 0; }
  constexpr bool white_space() const { return (bits_ & 0x20) != 0; }
  constexpr bool nfc_may_change() const { return (bits_ & 0x40) != 0; }
  constexpr bool numeric() const { return Is(kNumbers) || (bits_ & 0x80) != 0; }
  constexpr uint8_t bits() const { return bits_; }

 private:
  uint8_t bits_;
};

inline constexpr char32_t kCodePointCount = 0x110000;

// The bytes of all code points, for loops that look up many.
const uint8_t* CharPropertyTable();

inline CharProperties PropertiesOf(char32_t code) {
  return CharProperties(CharPropertyTable()[code < kCodePointCount ? code : 0xFFFD]);
}

// `\w` as regular expressions of the Rust crate have it: Alphabetic, marks, decimal numbers,
// connector punctuation and join controls.
bool IsWordChar(char32_t code);

}  // namespace baton
