// Gives every name of a parsed template its slots, and every filter and test its function.
//
// The scoping is Jinja's: loops, macros, set blocks, filter blocks and `with` open a scope; `if`
// does not. A macro sees the scopes around its definition, as they are when it is called.
//
// Threading: pure function.
// Errors:    INVALID_ARGUMENT "line <n>: No filter named ..." unless the filter stands in a branch
//            that may never run; then the error comes when it does, as in Jinja.
#pragma once

#include "absl/status/status.h"
#include "frontend/chat/ast.h"

namespace baton::frontend::internal {

absl::Status ResolveNames(TemplateTree& tree);

}  // namespace baton::frontend::internal
