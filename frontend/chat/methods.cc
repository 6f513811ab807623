// The methods of dicts, lists and tuples, and the table of all methods by name.
#include <algorithm>
#include <map>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/ast.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/text_methods.h"
#include "frontend/chat/value_objects.h"

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

// A dict of the keys that an iterable yields, all with one value.
Result FromKeys(RenderContext& context, const Value&, const Arguments& arguments) {
  Value bound[2];
  RETURN_IF_ERROR(
      BindArguments("fromkeys", arguments, {"iterable", "value"}, 1, absl::MakeSpan(bound)));
  if (bound[1].missing()) bound[1] = Value::None();
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(bound[0]));
  DictBuilder dict(context, 4);
  while (true) {
    ASSIGN_OR_RETURN(const Value key, cursor.Next(context));
    if (key.missing()) return dict.Build();
    if (!Hashable(context, key)) return TypeError({"unhashable type: '", TypeName(key), "'"});
    dict.Set(key, bound[1]);
  }
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
  Value bound[3];
  RETURN_IF_ERROR(
      BindArguments("index", arguments, {"value", "start", "stop"}, 1, absl::MakeSpan(bound)));
  const auto length = static_cast<WideInt>(self.items().size());
  WideInt bounds[2] = {0, length};
  for (size_t i = 0; i < 2; ++i) {
    const Value& given = bound[i + 1];
    if (given.missing()) continue;
    if (!given.integral()) {
      return TypeError({"slice indices must be integers or have an __index__ method"});
    }
    const WideInt at = given.integer();
    bounds[i] = std::clamp<WideInt>(at < 0 ? at + length : at, 0, length);
  }
  RETURN_IF_ERROR(context.Charge(static_cast<int64_t>(length)));
  for (auto i = static_cast<size_t>(bounds[0]); i < static_cast<size_t>(bounds[1]); ++i) {
    if (Equal(context, self.items()[i], bound[0])) return Value::Int(static_cast<int64_t>(i));
  }
  return ValueError({TypeName(self), ".index(x): x not in ", TypeName(self)});
}

constexpr Method kDictMethods[] = {
    {"copy", &CopySelf},
    {"fromkeys", &FromKeys},
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

// The position of the argument whose text the method of this name puts into marked text; or 2.
size_t InsertedArgument(std::string_view name) {
  if (name == "join") return 0;
  if (name == "replace" || name == "ljust" || name == "rjust" || name == "center") return 1;
  return 2;
}

// The items of what is joined, escaped: a text's items are its letters.
Result EscapedItems(RenderContext& context, const Value& inserted) {
  ASSIGN_OR_RETURN(const absl::Span<const Value> items, Collect(context, inserted));
  RETURN_IF_ERROR(context.Reserve(items.size() * sizeof(Value)));
  Value* escaped = context.arena().AllocateArray<Value>(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    RETURN_IF_ERROR(context.Charge(1));
    escaped[i] = EscapeHtml(context, items[i]);
  }
  return Value::List({escaped, items.size()});
}

// The texts of a result, marked.
Result Marked(RenderContext& context, const Value& result) {
  if (result.string()) return Value::Markup(result.text());
  if (!result.sequence()) return result;
  RETURN_IF_ERROR(context.Charge(static_cast<int64_t>(result.items().size())));
  Value* items = context.arena().AllocateArray<Value>(result.items().size());
  for (size_t i = 0; i < result.items().size(); ++i) {
    items[i] = Value::Markup(result.items()[i].text());
  }
  const absl::Span<const Value> span(items, result.items().size());
  return result.is(Kind::kList) ? Value::List(span) : Value::Tuple(span);
}

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

absl::StatusOr<Value> CallMethod(RenderContext& context, const Method& method, const Value& self,
                                 const Arguments& arguments) {
  if (!self.markup()) return method.call(context, self, arguments);
  std::vector<Value> positional(arguments.positional.begin(), arguments.positional.end());
  const size_t inserted = InsertedArgument(method.name);
  if (inserted < positional.size()) {
    Value& argument = positional[inserted];
    if (inserted == 0) {
      ASSIGN_OR_RETURN(argument, EscapedItems(context, argument));
    } else if (argument.string()) {
      argument = EscapeHtml(context, argument);
    }
  }
  ASSIGN_OR_RETURN(const Value result,
                   method.call(context, self, Arguments{positional, arguments.keyword}));
  return Marked(context, result);
}

std::string_view MethodName(const BoundMethod& method) { return method.method->name; }
const Value& MethodSelf(const BoundMethod& method) { return method.self; }
std::string_view MacroName(const MacroClosure& macro) { return macro.macro->name; }

Value MacroAttribute(RenderContext& context, const MacroClosure& closure, std::string_view name) {
  const MacroStatement& macro = *closure.macro;
  if (name == "name") return macro.name.empty() ? Value::None() : Value::String(macro.name);
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
