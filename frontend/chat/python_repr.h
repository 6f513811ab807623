// Python's str() and repr() of template values.
//
// Threading: pure functions. Errors: nesting deeper than 200 prints as "...".
#pragma once

#include <string>
#include <string_view>

#include "frontend/chat/value.h"

namespace baton::frontend::internal {

// str(value): text as it is, everything else as repr. Undefined prints nothing.
void AppendStr(std::string& out, const Value& value);
std::string Str(const Value& value);
void AppendRepr(std::string& out, const Value& value, int depth = 0);
std::string Repr(const Value& value);

// str(value) without a copy where the value is text already.
std::string_view StrIn(RenderArena& arena, const Value& value);

// repr of a float: the shortest digits that read back, with Python's choice of exponent.
std::string FloatRepr(double value);
std::string IntegerText(WideInt value);

}  // namespace baton::frontend::internal
