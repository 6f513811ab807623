// Python's pprint: a value over several lines of at most 80 columns, dicts sorted by key.
//
// Threading: owned by the render. Errors: INVALID_ARGUMENT where the budget of the render ends.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// pprint.pformat(value).
absl::StatusOr<std::string> PrettyPrint(RenderContext& context, const Value& value);

}  // namespace baton::frontend::internal
