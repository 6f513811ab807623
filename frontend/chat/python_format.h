// Python's two ways to format text: "%s" % values and "{}".format(values).
//
// Threading: owned by the render. Errors: INVALID_ARGUMENT with the class Python would raise.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// format % values; a tuple holds several values, a dict named ones.
absl::StatusOr<Value> FormatPercent(RenderContext& context, const Value& format,
                                    const Value& values);

// format.format(...) as the sandbox allows it: fields may name items and attributes. In marked text
// both escape what they insert. A `mapping` has the fields that no keyword has.
absl::StatusOr<Value> FormatBraces(RenderContext& context, const Value& format,
                                   const Arguments& arguments, const Dict* mapping = nullptr);

}  // namespace baton::frontend::internal
