#include "frontend/chat/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/loop_state.h"
#include "frontend/chat/python_format.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

constexpr int kDepthMax = 200;

const char* Symbol(BinaryOperator op) {
  constexpr const char* kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return kSymbols[static_cast<int>(op)];
}

absl::Status UnsupportedOperands(BinaryOperator op, const Value& left, const Value& right) {
  return TypeError({"unsupported operand type(s) for ", Symbol(op), ": '", TypeName(left),
                    "' and '", TypeName(right), "'"});
}

absl::StatusOr<Value> FloorDivide(BinaryOperator op, WideInt left, WideInt right) {
  if (right == 0) return PythonError("ZeroDivisionError", {"integer division or modulo by zero"});
  WideInt quotient = left / right;
  WideInt remainder = left % right;
  if (remainder != 0 && (remainder < 0) != (right < 0)) {
    --quotient;
    remainder += right;
  }
  return MakeInteger(op == BinaryOperator::kMod ? remainder : quotient);
}

absl::Status ZeroPowerError() {
  return PythonError("ZeroDivisionError", {"0.0 cannot be raised to a negative power"});
}

absl::StatusOr<Value> IntegerPower(WideInt base, WideInt exponent) {
  if (exponent < 0) {
    if (base == 0) return ZeroPowerError();
    return Value::Float(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  WideInt result = 1;
  for (WideInt i = 0; i < exponent; ++i) {
    result *= base;
    const bool fits = result <= std::numeric_limits<uint64_t>::max() &&
                      result >= std::numeric_limits<int64_t>::min();
    if (!fits) return MakeInteger(result);
    if (base == 0 || base == 1) break;
    if (base == -1) return MakeInteger(exponent % 2 == 0 ? 1 : -1);
  }
  return MakeInteger(result);
}

absl::StatusOr<Value> ApplyIntegers(BinaryOperator op, WideInt left, WideInt right) {
  switch (op) {
    case BinaryOperator::kAdd:
      return MakeInteger(left + right);
    case BinaryOperator::kSub:
      return MakeInteger(left - right);
    case BinaryOperator::kMul:
      return MakeInteger(left * right);
    case BinaryOperator::kDiv:
      if (right == 0) return PythonError("ZeroDivisionError", {"division by zero"});
      return Value::Float(static_cast<double>(left) / static_cast<double>(right));
    case BinaryOperator::kFloorDiv:
    case BinaryOperator::kMod:
      return FloorDivide(op, left, right);
    case BinaryOperator::kPow:
      return IntegerPower(left, right);
  }
  return Value();
}

// The remainder has the sign of the divisor, as a zero too.
double RealRemainder(double left, double right) {
  const double remainder = std::fmod(left, right);
  if (remainder == 0) return std::copysign(0.0, right);
  return (remainder < 0) != (right < 0) ? remainder + right : remainder;
}

// By way of the remainder, as in Python: 1.0 // 0.1 is 9.
double RealFloorQuotient(double left, double right) {
  double remainder = std::fmod(left, right);
  double quotient = (left - remainder) / right;
  if (remainder != 0 && (remainder < 0) != (right < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, left / right);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

absl::StatusOr<Value> RealPower(double base, double exponent) {
  if (base == 0 && exponent < 0) return ZeroPowerError();
  const double power = std::pow(base, exponent);
  if (!std::isfinite(power) && std::isfinite(base) && std::isfinite(exponent)) {
    // A root of a negative number is a complex one there.
    return std::isnan(power) ? ValueError({"complex numbers are not supported"})
                             : PythonError("OverflowError", {"Numerical result out of range"});
  }
  return Value::Float(power);
}

absl::StatusOr<Value> ApplyReals(BinaryOperator op, double left, double right) {
  const bool divides =
      op == BinaryOperator::kDiv || op == BinaryOperator::kFloorDiv || op == BinaryOperator::kMod;
  if (divides && right == 0) {
    return PythonError("ZeroDivisionError",
                       {op == BinaryOperator::kMod   ? "float modulo"
                        : op == BinaryOperator::kDiv ? "float division by zero"
                                                     : "float floor division by zero"});
  }
  switch (op) {
    case BinaryOperator::kAdd:
      return Value::Float(left + right);
    case BinaryOperator::kSub:
      return Value::Float(left - right);
    case BinaryOperator::kMul:
      return Value::Float(left * right);
    case BinaryOperator::kDiv:
      return Value::Float(left / right);
    case BinaryOperator::kFloorDiv:
      return Value::Float(RealFloorQuotient(left, right));
    case BinaryOperator::kMod:
      return Value::Float(RealRemainder(left, right));
    case BinaryOperator::kPow:
      return RealPower(left, right);
  }
  return Value();
}

absl::StatusOr<Value> AddTexts(RenderContext& context, const Value& left, const Value& right) {
  RETURN_IF_ERROR(context.ChargeText(right.text().size()));
  if (!left.markup() && !right.markup()) {
    return Value::String(context.arena().Concat(left.text(), right.text()));
  }
  const Value safe_left = left.markup() ? left : EscapeHtml(context, left);
  const Value safe_right = right.markup() ? right : EscapeHtml(context, right);
  return Value::Markup(context.arena().Concat(safe_left.text(), safe_right.text()));
}

Value AddItems(RenderContext& context, const Value& left, const Value& right) {
  const size_t count = left.items().size() + right.items().size();
  Value* items = context.arena().AllocateArray<Value>(count);
  std::copy(left.items().begin(), left.items().end(), items);
  std::copy(right.items().begin(), right.items().end(), items + left.items().size());
  return left.is(Kind::kList) ? Value::List({items, count}) : Value::Tuple({items, count});
}

absl::StatusOr<Value> Repeat(RenderContext& context, const Value& value, WideInt times) {
  if (times < 0) times = 0;
  const bool text = value.string();
  const size_t unit = text ? value.text().size() : value.items().size() * sizeof(Value);
  constexpr WideInt kTimesMax = WideInt{1} << 40;
  if (times > kTimesMax) times = kTimesMax;
  const auto count = unit == 0 ? 0 : static_cast<size_t>(times);
  RETURN_IF_ERROR(context.ReserveAll(count, unit));
  if (text) {
    char* bytes = context.arena().AllocateArray<char>(unit * count);
    for (size_t i = 0; i < count; ++i) std::memcpy(bytes + i * unit, value.text().data(), unit);
    const std::string_view repeated(bytes, unit * count);
    return value.markup() ? Value::Markup(repeated) : Value::String(repeated);
  }
  const size_t size = value.items().size();
  Value* items = context.arena().AllocateArray<Value>(size * count);
  for (size_t i = 0; i < count; ++i) {
    std::copy(value.items().begin(), value.items().end(), items + i * size);
  }
  return value.is(Kind::kList) ? Value::List({items, size * count})
                               : Value::Tuple({items, size * count});
}

// The result for operands that are not both numbers.
absl::StatusOr<Value> ApplyOther(RenderContext& context, BinaryOperator op, const Value& left,
                                 const Value& right) {
  if (op == BinaryOperator::kMod && left.string()) return FormatPercent(context, left, right);
  if (left.undefined()) return UndefinedError(left);
  if (right.undefined()) return UndefinedError(right);
  if (op == BinaryOperator::kAdd) {
    if (left.string() && right.string()) return AddTexts(context, left, right);
    if (left.sequence() && left.kind() == right.kind()) {
      RETURN_IF_ERROR(
          context.Reserve((left.items().size() + right.items().size()) * sizeof(Value)));
      return AddItems(context, left, right);
    }
    if (left.string()) {
      return TypeError({"can only concatenate str (not \"", TypeName(right), "\") to str"});
    }
    if (left.sequence()) {
      return TypeError({"can only concatenate ", TypeName(left), " (not \"", TypeName(right),
                        "\") to ", TypeName(left)});
    }
  }
  if (op == BinaryOperator::kMul) {
    if ((left.string() || left.sequence()) && right.integral()) {
      return Repeat(context, left, right.integer());
    }
    if ((right.string() || right.sequence()) && left.integral()) {
      return Repeat(context, right, left.integer());
    }
  }
  return UnsupportedOperands(op, left, right);
}

absl::StatusOr<bool> Contains(RenderContext& context, const Value& needle, const Value& haystack) {
  switch (haystack.kind()) {
    case Kind::kString: {
      if (!needle.string()) {
        return TypeError({"'in <string>' requires string as left operand, not ", TypeName(needle)});
      }
      RETURN_IF_ERROR(context.ChargeText(haystack.text().size()));
      return FindText(haystack.text(), needle.text()) != std::string_view::npos;
    }
    case Kind::kDict:
      if (!Hashable(context, needle))
        return TypeError({"unhashable type: '", TypeName(needle), "'"});
      RETURN_IF_ERROR(context.Charge(1));
      return haystack.dict().Find(context, needle) != nullptr;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kDictView:
    case Kind::kIterator:
    case Kind::kUndefined: {
      ASSIGN_OR_RETURN(Cursor cursor, Cursor::Over(haystack));
      while (true) {
        ASSIGN_OR_RETURN(const Value item, cursor.Next(context));
        if (item.missing()) return false;
        if (Equal(context, item, needle)) return true;
      }
    }
    default:
      return TypeError({"argument of type '", TypeName(haystack), "' is not iterable"});
  }
}

absl::StatusOr<bool> LessItems(RenderContext& context, absl::Span<const Value> left,
                               absl::Span<const Value> right, int depth) {
  const size_t shared = std::min(left.size(), right.size());
  for (size_t i = 0; i < shared; ++i) {
    if (!Equal(context, left[i], right[i])) return Less(context, left[i], right[i], depth + 1);
  }
  return left.size() < right.size();
}

absl::Status NotOrdered(std::string_view symbol, const Value& left, const Value& right) {
  if (left.undefined()) return UndefinedError(left);
  if (right.undefined()) return UndefinedError(right);
  return TypeError({"'", symbol, "' not supported between instances of '", TypeName(left),
                    "' and '", TypeName(right), "'"});
}

bool Ordered(const Value& left, const Value& right) {
  return (left.number() && right.number()) || (left.string() && right.string()) ||
         (left.sequence() && left.kind() == right.kind());
}

// Attributes that every Python object has and the sandbox hides.
bool IsHiddenAttribute(std::string_view name) {
  constexpr std::string_view kNames[] = {"__class__",
                                         "__delattr__",
                                         "__dict__",
                                         "__dir__",
                                         "__doc__",
                                         "__eq__",
                                         "__format__",
                                         "__ge__",
                                         "__getattribute__",
                                         "__gt__",
                                         "__hash__",
                                         "__init__",
                                         "__init_subclass__",
                                         "__le__",
                                         "__lt__",
                                         "__module__",
                                         "__ne__",
                                         "__new__",
                                         "__reduce__",
                                         "__reduce_ex__",
                                         "__repr__",
                                         "__setattr__",
                                         "__sizeof__",
                                         "__str__",
                                         "__subclasshook__",
                                         "__len__",
                                         "__getitem__",
                                         "__iter__",
                                         "__contains__"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Value UnsafeUndefined(RenderContext& context, const Value& object, std::string_view name) {
  return Value::Of(
      context.arena().New<UndefinedInfo>(UndefinedInfo{object, Value::String(name), {}, true}));
}

// object[index], or kMissing for a TypeError or LookupError.
absl::StatusOr<Value> OwnItem(RenderContext& context, const Value& object, const Value& index) {
  switch (object.kind()) {
    case Kind::kDict: {
      if (!Hashable(context, index)) return Value();
      if (object.dict().size > 16 && object.dict().index == nullptr) {
        RETURN_IF_ERROR(context.Charge(object.dict().size >> 4));
      }
      const Value* found = object.dict().Find(context, index);
      return found == nullptr ? Value() : *found;
    }
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange:
    case Kind::kString: {
      if (!index.integral()) return Value();
      if (object.string()) RETURN_IF_ERROR(context.ChargeCodePoints(object.text().size()));
      const WideInt length = Length(object);
      const WideInt at = index.integer() < 0 ? index.integer() + length : index.integer();
      if (at < 0 || at >= length) return Value();
      const auto position = static_cast<size_t>(at);
      if (object.sequence()) return object.items()[position];
      if (object.is(Kind::kRange)) {
        return Value::Int(object.range().start + static_cast<int64_t>(at) * object.range().step);
      }
      const size_t offset = ByteOffset(object.text(), position);
      return Value::String(object.text().substr(offset, SequenceLength(object.text(), offset)));
    }
    default:
      return Value();
  }
}

struct SliceBounds {
  int64_t start;
  int64_t step;
  int64_t count;
};

absl::StatusOr<std::optional<int64_t>> SliceIndex(const Value& value) {
  if (value.missing() || value.none()) return std::optional<int64_t>();
  if (!value.integral()) {
    return TypeError({"slice indices must be integers or None or have an __index__ method"});
  }
  constexpr WideInt kFar = WideInt{1} << 40;
  return std::optional<int64_t>(
      static_cast<int64_t>(std::clamp<WideInt>(value.integer(), -kFar, kFar)));
}

absl::StatusOr<SliceBounds> ResolveSlice(int64_t length, const Value& start_value,
                                         const Value& stop_value, const Value& step_value) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> given_start, SliceIndex(start_value));
  ASSIGN_OR_RETURN(const std::optional<int64_t> given_stop, SliceIndex(stop_value));
  ASSIGN_OR_RETURN(const std::optional<int64_t> given_step, SliceIndex(step_value));
  const int64_t step = given_step.value_or(1);
  if (step == 0) return ValueError({"slice step cannot be zero"});
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? length : length - 1;
  const auto bound = [&](std::optional<int64_t> given, int64_t absent) {
    if (!given.has_value()) return absent;
    return std::clamp(*given < 0 ? *given + length : *given, low, high);
  };
  const int64_t start = bound(given_start, step > 0 ? low : high);
  const int64_t stop = bound(given_stop, step > 0 ? high : low);
  return SliceBounds{start, step, RangeInfo{start, stop, step}.Length()};
}

std::string_view SliceText(RenderContext& context, std::string_view text,
                           const SliceBounds& slice) {
  if (slice.step == 1) {
    const size_t begin = ByteOffset(text, static_cast<size_t>(slice.start));
    const std::string_view rest = text.substr(begin);
    return rest.substr(0, ByteOffset(rest, static_cast<size_t>(slice.count)));
  }
  std::vector<std::string_view> points;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    points.push_back(text.substr(at, SequenceLength(text, at)));
  }
  std::string picked;
  for (int64_t i = 0; i < slice.count; ++i) {
    picked.append(points[static_cast<size_t>(slice.start + i * slice.step)]);
  }
  return context.arena().Copy(picked);
}

// The fields of a range and the parts of a number; kMissing for other names.
Value FieldOf(const Value& object, std::string_view name) {
  if (object.is(Kind::kRange)) {
    const RangeInfo& range = object.range();
    if (name == "start") return Value::Int(range.start);
    if (name == "stop") return Value::Int(range.stop);
    if (name == "step") return Value::Int(range.step);
  }
  if (!object.number()) return Value();
  const bool real = object.is(Kind::kFloat);
  const Value self = object.is(Kind::kBool) ? Value::Int(object.bool_value() ? 1 : 0) : object;
  if (name == "real" || (name == "numerator" && !real)) return self;
  if (name == "imag") return real ? Value::Float(0) : Value::Int(0);
  if (name == "denominator" && !real) return Value::Int(1);
  return Value();
}

}  // namespace

absl::StatusOr<Value> Apply(RenderContext& context, BinaryOperator op, const Value& left,
                            const Value& right) {
  if (left.integral() && right.integral())
    return ApplyIntegers(op, left.integer(), right.integer());
  if (left.number() && right.number()) return ApplyReals(op, left.real(), right.real());
  return ApplyOther(context, op, left, right);
}

absl::StatusOr<Value> Negate(const Value& value) {
  if (value.integral()) return MakeInteger(-value.integer());
  if (value.is(Kind::kFloat)) return Value::Float(-value.real());
  if (value.undefined()) return UndefinedError(value);
  return TypeError({"bad operand type for unary -: '", TypeName(value), "'"});
}

absl::StatusOr<Value> Posate(const Value& value) {
  if (value.integral()) return MakeInteger(value.integer());
  if (value.is(Kind::kFloat)) return value;
  if (value.undefined()) return UndefinedError(value);
  return TypeError({"bad operand type for unary +: '", TypeName(value), "'"});
}

absl::StatusOr<bool> Less(RenderContext& context, const Value& left, const Value& right,
                          int depth) {
  RETURN_IF_ERROR(context.Charge(1));
  if (left.integral() && right.integral()) return left.integer() < right.integer();
  if (left.number() && right.number()) return left.real() < right.real();
  if (left.string() && right.string()) {
    RETURN_IF_ERROR(context.ChargeText(std::min(left.text().size(), right.text().size())));
    return left.text() < right.text();
  }
  if (left.sequence() && left.kind() == right.kind() && depth < kDepthMax) {
    return LessItems(context, left.items(), right.items(), depth);
  }
  return NotOrdered("<", left, right);
}

absl::StatusOr<bool> Compare(RenderContext& context, Comparison comparison, const Value& left,
                             const Value& right) {
  switch (comparison) {
    case Comparison::kEqual:
      return Equal(context, left, right);
    case Comparison::kNotEqual:
      return !Equal(context, left, right);
    case Comparison::kIn:
      return Contains(context, left, right);
    case Comparison::kNotIn: {
      ASSIGN_OR_RETURN(const bool found, Contains(context, left, right));
      return !found;
    }
    case Comparison::kLess:
      return Less(context, left, right);
    case Comparison::kGreater:
      if (!Ordered(left, right)) return NotOrdered(">", left, right);
      return Less(context, right, left);
    case Comparison::kLessEqual:
    case Comparison::kGreaterEqual: {
      const bool less = comparison == Comparison::kLessEqual;
      if (!Ordered(left, right)) return NotOrdered(less ? "<=" : ">=", left, right);
      if (Equal(context, left, right)) return true;
      return less ? Less(context, left, right) : Less(context, right, left);
    }
  }
  return false;
}

absl::StatusOr<std::vector<size_t>> SortedOrder(RenderContext& context,
                                                const std::vector<Value>& keys, bool reverse) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = 1; i < keys.size(); ++i) {
    if (!Ordered(keys[i], keys[0])) return NotOrdered("<", keys[i], keys[0]);
  }
  absl::Status failure;  // of items inside lists and tuples
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const absl::StatusOr<bool> less =
        reverse ? Less(context, keys[b], keys[a]) : Less(context, keys[a], keys[b]);
    if (!less.ok()) failure = less.status();
    return less.ok() && *less;
  });
  RETURN_IF_ERROR(failure);
  return order;
}

absl::StatusOr<Value> GetOwnAttribute(RenderContext& context, const Value& object,
                                      std::string_view name, const MethodSet* methods) {
  if (object.is(Kind::kNamespace)) {
    RETURN_IF_ERROR(context.Charge(object.name_space().size >> 3));
    const Value* found = object.name_space().Find(name);
    return found == nullptr ? Value() : *found;
  }
  if (object.group() && name == "grouper") return object.items()[0];
  if (object.group() && name == "list") return object.items()[1];
  if (object.is(Kind::kLoop)) return object.loop().Attribute(context, name);
  if (object.is(Kind::kMacro)) return MacroAttribute(context, object.macro(), name);
  if (object.number() || object.is(Kind::kRange)) {
    const Value field = FieldOf(object, name);
    if (!field.missing()) return field;
  }
  if (methods != nullptr) {
    if (methods->Hidden(object)) return UnsafeUndefined(context, object, name);
    if (const Method* method = methods->For(object)) {
      return Value::Of(context.arena().New<BoundMethod>(BoundMethod{object, method}));
    }
  }
  if (name.size() > 4 && name.substr(0, 2) == "__" && IsHiddenAttribute(name)) {
    return UnsafeUndefined(context, object, name);
  }
  return Value();
}

absl::StatusOr<Value> GetAttribute(RenderContext& context, const Value& object,
                                   std::string_view name, const MethodSet* methods) {
  if (object.undefined()) return UndefinedError(object);
  if (object.is(Kind::kDict) && methods == nullptr) {
    if (const Value* found = object.dict().Find(name)) return *found;
    if (name.substr(0, 2) != "__") return MakeUndefined(context, object, Value::String(name));
  }
  ASSIGN_OR_RETURN(const Value own, GetOwnAttribute(context, object, name, methods));
  if (!own.missing()) return own;
  ASSIGN_OR_RETURN(const Value item, OwnItem(context, object, Value::String(name)));
  if (!item.missing()) return item;
  return MakeUndefined(context, object, Value::String(name));
}

absl::StatusOr<Value> GetItem(RenderContext& context, const Value& object, const Value& index) {
  if (object.undefined()) return UndefinedError(object);
  ASSIGN_OR_RETURN(const Value item, OwnItem(context, object, index));
  if (!item.missing()) return item;
  if (index.string()) {
    ASSIGN_OR_RETURN(const Value own,
                     GetOwnAttribute(context, object, index.text(), FindMethods(index.text())));
    if (!own.missing()) return own;
  }
  return MakeUndefined(context, object, index);
}

absl::StatusOr<Value> GetSlice(RenderContext& context, const Value& object, const Value& start,
                               const Value& stop, const Value& step) {
  if (object.undefined()) return UndefinedError(object);
  if (object.is(Kind::kDict)) return TypeError({"unhashable type: 'slice'"});
  if (!object.string() && !object.sequence() && !object.is(Kind::kRange)) {
    return TypeError({"'", TypeName(object), "' object is not subscriptable"});
  }
  if (object.string()) RETURN_IF_ERROR(context.ChargeCodePoints(object.text().size()));
  ASSIGN_OR_RETURN(const SliceBounds slice, ResolveSlice(Length(object), start, stop, step));
  if (object.string()) {
    if (slice.step != 1) {  // a list of all code points
      RETURN_IF_ERROR(context.Reserve(object.text().size() * sizeof(std::string_view)));
      RETURN_IF_ERROR(context.ChargeLetters(object.text().size()));
    }
    const std::string_view text = SliceText(context, object.text(), slice);
    return object.markup() ? Value::Markup(text) : Value::String(text);
  }
  if (object.is(Kind::kRange)) {
    const RangeInfo& range = object.range();
    const int64_t first = range.start + slice.start * range.step;
    const int64_t stride = range.step * slice.step;
    return Value::Of(
        context.arena().New<RangeInfo>(RangeInfo{first, first + slice.count * stride, stride}));
  }
  const auto count = static_cast<size_t>(slice.count);
  absl::Span<const Value> items;
  if (slice.step == 1) {
    items = object.items().subspan(static_cast<size_t>(slice.start), count);
  } else {
    RETURN_IF_ERROR(context.Charge(slice.count));
    Value* picked = context.arena().AllocateArray<Value>(count);
    for (size_t i = 0; i < count; ++i) {
      picked[i] =
          object.items()[static_cast<size_t>(slice.start + static_cast<int64_t>(i) * slice.step)];
    }
    items = {picked, count};
  }
  return object.is(Kind::kList) ? Value::List(items) : Value::Tuple(items);
}

Value EscapeHtml(RenderContext& context, const Value& value) {
  if (value.markup()) return value;
  const std::string_view text = StrIn(context, value);
  if (!context.ChargeCodePoints(text.size()).ok()) return value;  // the next step ends the render
  const auto special = std::count_if(text.begin(), text.end(), [](char c) {
    return c == '&' || c == '<' || c == '>' || c == '"' || c == '\'';
  });
  if (special == 0) return Value::Markup(text);
  constexpr size_t kLongest = sizeof("&amp;") - 1;
  const size_t bytes = text.size() + static_cast<size_t>(special) * (kLongest - 1);
  if (!context.Reserve(bytes).ok()) {
    context.arena().Exhaust();  // the next step ends the render
    return value;
  }
  std::string escaped;
  escaped.reserve(bytes);
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped.append("&amp;");
        break;
      case '<':
        escaped.append("&lt;");
        break;
      case '>':
        escaped.append("&gt;");
        break;
      case '"':
        escaped.append("&#34;");
        break;
      case '\'':
        escaped.append("&#39;");
        break;
      default:
        escaped.push_back(c);
    }
  }
  return Value::Markup(context.arena().Copy(escaped));
}

}  // namespace baton::frontend::internal
