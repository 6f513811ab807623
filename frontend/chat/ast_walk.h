// Visits the nodes of a syntax tree in the order of the text.
//
// Threading: pure. Ownership: none.
#pragma once

#include <functional>

#include "frontend/chat/ast.h"

namespace baton::frontend::internal {

// Calls `visit` with each expression directly below `node`.
void ForEachChild(Expression& node, const std::function<void(Expression&)>& visit);

// Calls `visit` with each expression directly in `statement`, not in the statements it contains.
void ForEachExpression(Statement& statement, const std::function<void(Expression&)>& visit);

// Calls `visit` with each body directly in `statement`.
void ForEachBody(Statement& statement, const std::function<void(Body&)>& visit);

// Calls the visitors for every node below, at any depth. Either may be null.
void Walk(const Body& body, const std::function<void(const Statement&)>& on_statement,
          const std::function<void(const Expression&)>& on_expression);

}  // namespace baton::frontend::internal
