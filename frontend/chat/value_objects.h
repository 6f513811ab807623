// The callables that values point to: methods of the built-in types, bound to their object.
//
// Threading: tables are immutable; bound methods belong to a render.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "frontend/chat/render_context.h"
#include "frontend/chat/value.h"

namespace baton::frontend::internal {

struct Method {
  const char* name;
  absl::StatusOr<Value> (*call)(RenderContext&, const Value& self, const Arguments&);
};

// The methods of one name, by the type of the object. A null entry: no such method. `mutates`
// marks the ones that the immutable sandbox hides.
struct MethodSet {
  const Method* text = nullptr;
  const Method* dict = nullptr;
  const Method* list = nullptr;
  const Method* tuple = nullptr;
  bool mutates_dict = false;
  bool mutates_list = false;

  const Method* For(const Value& object) const;
  bool Hidden(const Value& object) const {
    return (mutates_dict && object.is(Kind::kDict)) || (mutates_list && object.is(Kind::kList));
  }
};

// Null when no type has such a method.
const MethodSet* FindMethods(std::string_view name);

struct BoundMethod {
  Value self;
  const Method* method;
};

// Calls a method. One of marked text escapes the text that it takes in, and makes marked text.
absl::StatusOr<Value> CallMethod(RenderContext& context, const Method& method, const Value& self,
                                 const Arguments& arguments);

std::string_view MethodName(const BoundMethod& method);
const Value& MethodSelf(const BoundMethod& method);
std::string_view MacroName(const MacroClosure& macro);
// What a macro says of itself: name, arguments and which others it takes; kMissing for the rest.
Value MacroAttribute(RenderContext& context, const MacroClosure& macro, std::string_view name);

}  // namespace baton::frontend::internal
