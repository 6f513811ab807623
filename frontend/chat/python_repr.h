// Python's str() and repr() of template values.
//
// Threading: pure functions. Errors: nesting deeper than 200 prints as "...".
#pragma once

#include <string>
#include <string_view>

#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// str(value): text as it is, everything else as repr. Undefined prints nothing. What is printed is
// taken from the budget of the render, and stops at its end.
void AppendStr(RenderContext& context, std::string& out, const Value& value);
std::string Str(RenderContext& context, const Value& value);
void AppendRepr(RenderContext& context, std::string& out, const Value& value, int depth = 0);
std::string Repr(RenderContext& context, const Value& value);
// repr of a text or a number; "..." for a container.
std::string ScalarRepr(const Value& value);

// str(value) without a copy where the value is text already.
std::string_view StrIn(RenderContext& context, const Value& value);

// repr of a float: the shortest digits that read back, with Python's choice of exponent.
std::string FloatRepr(double value);
std::string IntegerText(WideInt value);

}  // namespace baton::frontend::internal
