// The 256 letters that stand for bytes in byte-level vocabularies ("Ġ" for a space): GPT-2's
// mapping.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

// The letter that stands for a byte.
char32_t LetterOfByte(uint8_t byte);

// The byte that a letter stands for, if any.
std::optional<uint8_t> ByteOfLetter(char32_t letter);

// Appends the letter of each byte.
void AppendLetters(std::string_view bytes, std::string& out);

// The bytes that a token of letters stands for; nothing when any character is no such letter.
std::optional<std::string> BytesOfLetters(std::string_view token);

}  // namespace baton
