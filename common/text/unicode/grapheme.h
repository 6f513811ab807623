// Grapheme clusters: what a reader sees as one character (UAX #29, extended).
//
// Threading: pure functions over a table that is built on first use.
#pragma once

#include <cstddef>
#include <string_view>

namespace baton {

// The length in bytes of the cluster at the front. REQUIRES: text is not empty. Bytes that are not
// UTF-8 count as U+FFFD.
size_t GraphemeLength(std::string_view text);

}  // namespace baton
