// Text operations that str methods and filters share.
//
// Threading: pure functions. Errors: INVALID_ARGUMENT when a result would be too large.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// str.splitlines.
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);
// As many lines as that at least, without making them.
size_t LinesMax(std::string_view text);

// str.replace; all occurrences when `count` is negative.
absl::StatusOr<Value> ReplaceText(RenderContext& context, std::string_view text,
                                  std::string_view from, std::string_view to, WideInt count);

enum class Padding { kLeft, kRight, kBoth };  // where the fill goes

// Takes what stripping `text` of white space costs at worst, or of the code points of `set`.
absl::Status ChargeStrip(RenderContext& context, std::string_view text, const Value& set);

// str.rjust, ljust and center; `fill` is a string of one character or kMissing for a blank.
absl::StatusOr<Value> PadText(RenderContext& context, std::string_view text, const Value& width,
                              const Value& fill, Padding padding);

}  // namespace baton::frontend::internal
