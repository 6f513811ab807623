// Tokens that are one byte, spelled "<0xE2>".
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

// The byte, if the token is one; digits of either case.
std::optional<uint8_t> ByteOfToken(std::string_view token);

// "<0xE2>".
std::string TokenOfByte(uint8_t byte);

// What a run of such bytes adds to a text: itself, or U+FFFD for every byte when it is not UTF-8 as
// a whole.
std::string TextOfByteRun(std::string_view bytes);

}  // namespace baton
