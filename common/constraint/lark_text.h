// Pieces of text in the engine's own grammar language, a dialect of Lark.
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT from PrepareLark, as PrepareJsonSchema has them, for a schema inside
// a
//            grammar; or for one with too many rules.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/constraint/constraint_spec.h"

namespace baton {

inline constexpr size_t kGrammarBytesMax = size_t{64} << 10;
inline constexpr size_t kRulesMax = 500;

// A string literal that matches `text` and nothing else.
std::string LarkString(std::string_view text);

// A regular expression of the engine's syntax as a literal.
std::string LarkRegex(std::string_view expression);

// Any text, as a regular expression between slashes.
inline constexpr char kLarkAnyText[] = "/(?s:.*)/";

// A regular expression that matches `text` and nothing else, for LarkRegex.
std::string EscapeRegex(std::string_view text);

// A grammar that somebody wrote: its %json schemas are checked and made ready.
absl::StatusOr<std::string> PrepareLark(std::string_view grammar, const JsonLayout& layout,
                                        std::string_view subject);

}  // namespace baton
