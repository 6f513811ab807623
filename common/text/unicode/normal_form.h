// The four normalization forms of Unicode.
//
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

// D: decomposed, marks in canonical order. C: composed again. K: compatibility characters replaced
// by what they stand for.
enum class NormalForm : uint8_t { kC, kD, kKC, kKD };

// True when the form certainly leaves `text` as it is; false when it has to be looked at. One pass
// over bytes that are mostly skipped.
bool IsSurelyInForm(std::string_view text, NormalForm form);

// Bytes that are not UTF-8 are kept as they are and compose with nothing.
std::string ToNormalForm(std::string_view text, NormalForm form);

// How many bytes of what ToNormalForm makes of `text` come from its first `front` bytes, which are
// whole characters, in the sense of FrontTracer.
size_t FrontInNormalForm(std::string_view text, NormalForm form, size_t front);

}  // namespace baton
