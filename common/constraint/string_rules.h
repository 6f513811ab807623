// Patterns and formats of JSON schemas in the engine's terms: it has regular expressions of another
// dialect, and knows formats a little too generously.
//
// Threading: pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// An ECMA-262 expression such that the engine matches the same: `.` and `\s` mean other characters
// there.
std::string EngineRegex(std::string_view ecma);

// What a string of this format matches besides the engine's own expression for it, which admits the
// 29th of February in every year, leap seconds at any time, and international host names without a
// look at them: none of these is admitted. Empty: nothing.
std::string_view StricterFormat(std::string_view format);

// An expression that is matched from end to end, without the anchors that say nothing there, at its
// beginning and end and at those of its alternatives: the engine has none.
std::string WithoutOuterAnchors(std::string_view expression);

}  // namespace baton
