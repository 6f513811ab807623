// UTF-8 as bytes: decoding, encoding, and repair of what is not UTF-8.
//
// Repair follows the "maximal subpart" rule of the Unicode standard, which is also that of Rust's
// lossy conversion: every longest invalid prefix of a character becomes one U+FFFD.
//
// Threading: pure functions; Utf8Assembler is thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

inline constexpr char32_t kReplacementChar = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

// One decoded character. Not valid: `code` is U+FFFD and `length` the maximal invalid subpart.
struct Utf8Char {
  char32_t code;
  uint32_t length;
  bool valid;
};

// Decodes the character at the front. REQUIRES: text is not empty and its first byte is not ASCII
// (callers test for ASCII first; it is the common case and needs no call).
Utf8Char DecodeNonAscii(std::string_view text);

// Decodes the character at the front. REQUIRES: text is not empty.
inline Utf8Char DecodeChar(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  return DecodeNonAscii(text);
}

// Decodes the character that ends `text`. REQUIRES: text is not empty. Invalid bytes give U+FFFD.
Utf8Char DecodeLastChar(std::string_view text);

void AppendUtf8(char32_t code, std::string& out);

// The length of the longest valid prefix.
size_t ValidUtf8Prefix(std::string_view text);
inline bool IsValidUtf8(std::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

// Appends `text`, with U+FFFD for each maximal invalid subpart.
void AppendLossy(std::string_view text, std::string& out);

// How many bytes at the end of `text` are the beginning of a character that more bytes may
// complete: 0 to 3.
size_t IncompleteSuffix(std::string_view text);

// Turns a stream of byte chunks, cut anywhere, into whole characters: concatenating what it appends
// equals the lossy conversion of all bytes at once.
class Utf8Assembler {
 public:
  // Appends the characters that are certain now; at most 3 bytes stay pending.
  void Push(std::string_view bytes, std::string& out);

  // Appends U+FFFD for pending bytes and starts over.
  void Finish(std::string& out);

  bool pending() const { return pending_size_ > 0; }

 private:
  char pending_[4] = {};
  size_t pending_size_ = 0;
};

}  // namespace baton
