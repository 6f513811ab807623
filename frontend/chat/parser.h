// Parses a template into its syntax tree, with every name resolved.
//
// Threading: pure function. Ownership: the tree owns all its text.
// Errors:    INVALID_ARGUMENT "line <n>: ..." with Jinja's wording; templates cannot include,
//            import or extend others.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "frontend/chat/ast.h"

namespace baton::frontend::internal {

absl::StatusOr<std::unique_ptr<TemplateTree>> ParseTemplate(std::string_view source);

}  // namespace baton::frontend::internal
