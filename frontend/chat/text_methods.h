// The methods of str.
//
// Threading: immutable table.
#pragma once

#include "absl/types/span.h"
#include "frontend/chat/value_objects.h"

namespace baton::frontend::internal {

absl::Span<const Method> TextMethods();

}  // namespace baton::frontend::internal
