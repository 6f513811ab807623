// The methods of dicts, lists and tuples, and the table of all methods by name.
#include "common/base/status_macros.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/text_methods.h"
#include "frontend/chat/value_objects.h"

#include <map>

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

Result DictGet(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(BindArguments("get", arguments, {"key", "default"}, 1, absl::MakeSpan(bound)));
  if (!Hashable(context, bound[0]))
    return TypeError({"unhashable type: '", TypeName(bound[0]), "'"});
  const Value* found = self.dict().Find(context, bound[0]);
  if (found != nullptr) return *found;
  return bound[1].missing() ? Value::None() : bound[1];
}

template <DictViewKind kView>
Result View(RenderContext&, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("dict view", arguments, {}, 0, {}));
  return Value::DictView(&self.dict(), kView);
}

Result CopySelf(RenderContext&, const Value& self, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("copy", arguments, {}, 0, {}));
  return self;  // values do not change, so a copy is the same
}

Result CountItem(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value wanted;
  RETURN_IF_ERROR(BindArguments("count", arguments, {"value"}, 1, absl::MakeSpan(&wanted, 1)));
  RETURN_IF_ERROR(context.Charge(static_cast<int64_t>(self.items().size())));
  int64_t count = 0;
  for (const Value& item : self.items()) count += Equal(context, item, wanted) ? 1 : 0;
  return Value::Int(count);
}

Result IndexOfItem(RenderContext& context, const Value& self, const Arguments& arguments) {
  Value wanted;
  RETURN_IF_ERROR(BindArguments("index", arguments, {"value"}, 1, absl::MakeSpan(&wanted, 1)));
  RETURN_IF_ERROR(context.Charge(static_cast<int64_t>(self.items().size())));
  for (size_t i = 0; i < self.items().size(); ++i) {
    if (Equal(context, self.items()[i], wanted)) return Value::Int(static_cast<int64_t>(i));
  }
  return ValueError({TypeName(self), ".index(x): x not in ", TypeName(self)});
}

constexpr Method kDictMethods[] = {
    {"copy", &CopySelf},
    {"get", &DictGet},
    {"items", &View<DictViewKind::kItems>},
    {"keys", &View<DictViewKind::kKeys>},
    {"values", &View<DictViewKind::kValues>},
};
constexpr Method kListMethods[] = {
    {"copy", &CopySelf},
    {"count", &CountItem},
    {"index", &IndexOfItem},
};
constexpr Method kTupleMethods[] = {
    {"count", &CountItem},
    {"index", &IndexOfItem},
};
constexpr const char* kMutatingDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr const char* kMutatingList[] = {"append", "clear", "pop",    "reverse",
                                         "insert", "sort",  "extend", "remove"};

std::map<std::string_view, MethodSet> MakeTable() {
  std::map<std::string_view, MethodSet> table;
  for (const Method& method : TextMethods()) table[method.name].text = &method;
  for (const Method& method : kDictMethods) table[method.name].dict = &method;
  for (const Method& method : kListMethods) table[method.name].list = &method;
  for (const Method& method : kTupleMethods) table[method.name].tuple = &method;
  for (const char* name : kMutatingDict) table[name].mutates_dict = true;
  for (const char* name : kMutatingList) table[name].mutates_list = true;
  return table;
}

}  // namespace

const Method* MethodSet::For(const Value& object) const {
  switch (object.kind()) {
    case Kind::kString:
      return text;
    case Kind::kDict:
      return dict;
    case Kind::kList:
      return list;
    case Kind::kTuple:
      return tuple;
    default:
      return nullptr;
  }
}

const MethodSet* FindMethods(std::string_view name) {
  static const auto& table = *new std::map<std::string_view, MethodSet>(MakeTable());
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

std::string_view MethodName(const BoundMethod& method) { return method.method->name; }
const Value& MethodSelf(const BoundMethod& method) { return method.self; }
std::string_view MacroName(const MacroClosure& macro) { return macro.macro->name; }

Value MacroAttribute(RenderContext& context, const MacroClosure& closure, std::string_view name) {
  const MacroStatement& macro = *closure.macro;
  if (name == "name") return Value::String(macro.name);
  if (name == "catch_varargs") return Value::Bool(macro.varargs_slot >= 0);
  if (name == "catch_kwargs") return Value::Bool(macro.kwargs_slot >= 0);
  if (name == "caller") return Value::Bool(macro.caller_slot >= 0);
  if (name != "arguments") return Value();
  const size_t count = macro.parameters.size();
  Value* names = context.arena().AllocateArray<Value>(count);
  for (size_t i = 0; i < count; ++i) names[i] = Value::String(macro.parameters[i]);
  return Value::Tuple({names, count});
}

}  // namespace baton::frontend::internal
