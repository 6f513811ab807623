// Replacing strings in text.
//
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// Every occurrence of `from`, leftmost first; an empty one stands between all characters and at
// both ends.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

// What the WordPiece and CTC decoders do to English: no space before punctuation and contractions.
std::string CleanUpEnglish(std::string text);

}  // namespace baton
