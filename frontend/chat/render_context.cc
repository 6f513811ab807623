#include "frontend/chat/render_context.h"

#include <limits>
#include <vector>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part);
  return text;
}

absl::Status PythonError(std::string_view type, std::initializer_list<std::string_view> parts) {
  return InvalidArgument(Joined({type, ": ", Joined(parts)}));
}

absl::Status TypeError(std::initializer_list<std::string_view> parts) {
  return PythonError("TypeError", parts);
}

absl::Status ValueError(std::initializer_list<std::string_view> parts) {
  return PythonError("ValueError", parts);
}

absl::Status UndefinedError(const Value& undefined) {
  const UndefinedInfo& info = undefined.undefined_info();
  const std::string_view type = info.unsafe ? "SecurityError" : "UndefinedError";
  if (!info.hint.empty()) return PythonError(type, {info.hint});
  const std::string name = info.name.missing() ? "" : ScalarRepr(info.name);
  if (info.object.missing()) return PythonError(type, {name, " is undefined"});
  if (info.unsafe) {
    return PythonError(type, {"access to attribute ", name, " of '", TypeName(info.object),
                              "' object is unsafe."});
  }
  const std::string object =
      info.object.none() ? "None" : Joined({TypeName(info.object), " object"});
  if (!info.name.string()) return PythonError(type, {object, " has no element ", name});
  return PythonError(type, {"'", object, "' has no attribute ", name});
}

absl::Status RenderContext::OverBudget() const {
  if (arena_.exhausted()) {
    return PythonError("limit exceeded",
                       {"the template makes more than ", std::to_string(limits_.arena_bytes_max),
                        " bytes of values"});
  }
  return PythonError("limit exceeded", {"the template takes more than ",
                                        std::to_string(limits_.steps_max), " steps"});
}

absl::Status RenderContext::Reserve(size_t bytes) {
  if (arena_.Fits(bytes)) return ChargeText(bytes);
  return PythonError("limit exceeded",
                     {"the template makes more than ", std::to_string(limits_.arena_bytes_max),
                      " bytes of values"});
}

absl::Status RenderContext::ReserveAll(size_t count, size_t bytes) {
  const bool fits = bytes == 0 || count <= limits_.arena_bytes_max / bytes;
  return Reserve(fits ? count * bytes : std::numeric_limits<size_t>::max());
}

Value MakeUndefined(RenderContext& context, const Value& object, const Value& name) {
  return Value::Of(context.arena().New<UndefinedInfo>(UndefinedInfo{object, name, {}, false}));
}

Value MakeUndefinedHint(RenderContext& context, std::string_view hint) {
  return Value::Of(context.arena().New<UndefinedInfo>(
      UndefinedInfo{Value(), Value(), context.arena().Copy(hint), false}));
}

absl::StatusOr<Value> MakeInteger(WideInt value) {
  if (value >= std::numeric_limits<int64_t>::min() &&
      value <= std::numeric_limits<int64_t>::max()) {
    return Value::Int(static_cast<int64_t>(value));
  }
  if (value > 0 && value <= std::numeric_limits<uint64_t>::max()) {
    return Value::BigInt(static_cast<uint64_t>(value));
  }
  return PythonError("limit exceeded", {"an integer needs more than 64 bits"});
}

absl::Status BindArguments(std::string_view function, const Arguments& arguments,
                           std::initializer_list<std::string_view> names, size_t required,
                           absl::Span<Value> values) {
  if (arguments.positional.size() > names.size()) {
    return TypeError({function, "() takes at most ", std::to_string(names.size()), " arguments (",
                      std::to_string(arguments.positional.size()), " given)"});
  }
  std::copy(arguments.positional.begin(), arguments.positional.end(), values.begin());
  for (const KeywordArgument& keyword : arguments.keyword) {
    size_t i = 0;
    while (i < names.size() && names.begin()[i] != keyword.name) ++i;
    if (i == names.size()) {
      return TypeError({function, "() got an unexpected keyword argument '", keyword.name, "'"});
    }
    if (!values[i].missing()) {
      return TypeError({function, "() got multiple values for argument '", keyword.name, "'"});
    }
    values[i] = keyword.value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (values[i].missing()) {
      return TypeError(
          {function, "() missing 1 required positional argument: '", names.begin()[i], "'"});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Cursor> Cursor::Over(const Value& iterable) {
  switch (iterable.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kDictView:
    case Kind::kRange:
    case Kind::kIterator:
      return Cursor(iterable);
    default:
      return TypeError({"'", TypeName(iterable), "' object is not iterable"});
  }
}

absl::StatusOr<Value> Cursor::Next(RenderContext& context) {
  RETURN_IF_ERROR(context.Charge(1));
  const size_t at = position_++;
  switch (source_.kind()) {
    case Kind::kList:
    case Kind::kTuple:
      return at < source_.items().size() ? source_.items()[at] : Value();
    case Kind::kDict:
      return at < source_.dict().size ? source_.dict().entries[at].key : Value();
    case Kind::kDictView: {
      if (at >= source_.dict().size) return Value();
      const DictEntry& entry = source_.dict().entries[at];
      if (source_.view_kind() == DictViewKind::kKeys) return entry.key;
      if (source_.view_kind() == DictViewKind::kValues) return entry.value;
      static_assert(sizeof(DictEntry) == 2 * sizeof(Value));
      return Value::Tuple({&entry.key, 2});  // key and value lie side by side
    }
    case Kind::kRange: {
      const RangeInfo& range = source_.range();
      if (static_cast<int64_t>(at) >= range.Length()) return Value();
      return Value::Int(range.start + static_cast<int64_t>(at) * range.step);
    }
    case Kind::kString: {
      const std::string_view text = source_.text();
      if (at >= text.size()) return Value();
      const size_t length = SequenceLength(text, at);
      position_ = at + length;
      return Value::String(text.substr(at, length));
    }
    case Kind::kIterator: {
      // Generators over generators are as deep as the template made them.
      if (context.depth >= context.limits().depth_max) {
        return PythonError("RecursionError", {"maximum recursion depth exceeded"});
      }
      ++context.depth;
      absl::StatusOr<Value> next = source_.iterator().Next(context);
      --context.depth;
      return next;
    }
    default:
      return Value();
  }
}

absl::StatusOr<absl::Span<const Value>> Collect(RenderContext& context, const Value& iterable) {
  if (iterable.sequence()) return iterable.items();
  ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(iterable));
  std::vector<Value> values;
  while (true) {
    ASSIGN_OR_RETURN(const Value value, cursor.Next(context));
    if (value.missing()) break;
    values.push_back(value);
    const size_t bytes = values.size() * sizeof(Value);
    if (!context.arena().Fits(bytes)) return context.Reserve(bytes);
  }
  Value* items = context.arena().AllocateArray<Value>(values.size());
  std::copy(values.begin(), values.end(), items);
  return absl::Span<const Value>(items, values.size());
}

}  // namespace baton::frontend::internal
