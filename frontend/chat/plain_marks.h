// Keeps special tokens that a user spells out from being read as markup.
//
// Before a template is rendered, every special token's text inside user content gets a mark after
// its first character; a template copies it along with the text. After the render the marks are
// taken out, and their places say where no special token may be recognised.
//
//   MarkPlainText(message, tokenizer_words);
//   ... render ...
//   std::vector<size_t> plain_at = TakePlainMarks(prompt);   // for EncodeOptions
//
// The mark is U+FDD0, a noncharacter; those that a client sends are taken out of the content.
//
// Threading: pure functions. Errors: none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "nlohmann/json_fwd.hpp"

namespace baton::frontend {

// Marks every occurrence of one of `words`, overlapping ones too, in all texts of `value`: itself,
// or the members of its lists and objects. REQUIRES: no word is empty.
void MarkPlainText(nlohmann::ordered_json& value, absl::Span<const std::string> words);

// Removes the marks; returns the offsets, in the text without them, at which they stood.
std::vector<size_t> TakePlainMarks(std::string& text);

}  // namespace baton::frontend
