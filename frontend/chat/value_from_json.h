// Turns JSON into template values without copying its text.
//
// Threading: owned by the render. Ownership: values point into `json`, which must outlive them.
// Errors:    INVALID_ARGUMENT when the JSON is nested deeper than 200 levels.
#pragma once

#include "absl/status/statusor.h"
#include "frontend/chat/arena.h"
#include "frontend/chat/value.h"
#include "nlohmann/json_fwd.hpp"

namespace baton::frontend::internal {

absl::StatusOr<Value> ValueFromJson(RenderContext& context, const nlohmann::ordered_json& json);

}  // namespace baton::frontend::internal
