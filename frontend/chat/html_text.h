// HTML in text: character references resolved, tags removed.
//
// Threading: pure functions, in time linear in the text.
#pragma once

#include <string>
#include <string_view>

namespace baton::frontend::internal {

// html.unescape: "&lt;" and "&#60;" become "<". The semicolon may be missing where HTML 5 allows
// it.
std::string UnescapeHtml(std::string_view text);

// Markup(text).striptags(): no tags and comments, single blanks for white space, then unescaped.
std::string StripTags(std::string_view text);

}  // namespace baton::frontend::internal
