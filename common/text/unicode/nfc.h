// Normalization form C: composed characters, marks in canonical order.
//
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// True when NFC certainly leaves `text` as it is; false when it has to be looked at. One pass over
// bytes that are mostly skipped.
bool IsSurelyNfc(std::string_view text);

// The composed form. Bytes that are not UTF-8 are kept as they are and compose with nothing.
std::string ToNfc(std::string_view text);

}  // namespace baton
