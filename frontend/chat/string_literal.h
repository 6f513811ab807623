// The escapes of a string literal, as Python's unicode-escape codec reads them.
//
// Threading: pure function. Errors: INVALID_ARGUMENT for a truncated \x, \u or \U escape.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton::frontend::internal {

// `body` is what stands between the quotes.
absl::StatusOr<std::string> UnescapeLiteral(std::string_view body);

}  // namespace baton::frontend::internal
