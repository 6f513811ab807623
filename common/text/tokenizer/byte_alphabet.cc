#include "common/text/tokenizer/byte_alphabet.h"

#include <array>

#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

// Bytes that print stand for themselves; the others take the code points from U+0100 on, in order.
constexpr bool Prints(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> kLetters256 = [] {
  std::array<char32_t, 256> letters{};
  char32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) letters[byte] = Prints(byte) ? byte : next++;
  return letters;
}();

constexpr uint32_t kLetterEnd = 0x100 + 68;  // 68 bytes do not print
constexpr std::array<int16_t, kLetterEnd> kBytes = [] {
  std::array<int16_t, kLetterEnd> bytes{};
  for (int16_t& byte : bytes) byte = -1;
  for (uint32_t byte = 0; byte < 256; ++byte) bytes[kLetters256[byte]] = static_cast<int16_t>(byte);
  return bytes;
}();

}  // namespace

char32_t LetterOfByte(uint8_t byte) { return kLetters256[byte]; }

std::optional<uint8_t> ByteOfLetter(char32_t letter) {
  if (letter >= kLetterEnd || kBytes[letter] < 0) return std::nullopt;
  return static_cast<uint8_t>(kBytes[letter]);
}

void AppendLetters(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) AppendUtf8(LetterOfByte(static_cast<uint8_t>(byte)), out);
}

std::optional<std::string> BytesOfLetters(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const Utf8Char next = DecodeChar(token.substr(at));
    const std::optional<uint8_t> byte = ByteOfLetter(next.code);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    at += next.length;
  }
  return bytes;
}

}  // namespace baton
