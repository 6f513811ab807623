// The tests of the template language: what may stand behind `is`.
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<bool>;

bool IsSequence(const Value& value) {
  return value.string() || value.sequence() || value.is(Kind::kDict) || value.is(Kind::kRange) ||
         value.undefined();
}

bool IsIterable(const Value& value) {
  return IsSequence(value) || value.is(Kind::kDictView) || value.is(Kind::kIterator) ||
         value.is(Kind::kLoop);
}

template <bool (*kPredicate)(const Value&)>
Result Is(RenderContext&, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("test", arguments, {}, 0, {}));
  return kPredicate(value);
}

bool IsDefined(const Value& v) { return !v.undefined(); }
bool IsUndefined(const Value& v) { return v.undefined(); }
bool IsNone(const Value& v) { return v.none(); }
bool IsBoolean(const Value& v) { return v.is(Kind::kBool); }
bool IsTrue(const Value& v) { return v.is(Kind::kBool) && v.bool_value(); }
bool IsFalse(const Value& v) { return v.is(Kind::kBool) && !v.bool_value(); }
bool IsInteger(const Value& v) { return v.integral() && !v.is(Kind::kBool); }
bool IsFloat(const Value& v) { return v.is(Kind::kFloat); }
bool IsNumber(const Value& v) { return v.number(); }
bool IsString(const Value& v) { return v.string(); }
bool IsMapping(const Value& v) { return v.is(Kind::kDict); }
bool IsCallable(const Value& v) { return v.callable(); }
bool IsEscaped(const Value& v) { return v.markup(); }

// True when the text has cased letters and all of them satisfy `kOther` not.
template <bool (*kOther)(char32_t), bool (*kSame)(char32_t)>
Result HasCase(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("test", arguments, {}, 0, {}));
  const std::string_view text = StrIn(context, value);
  RETURN_IF_ERROR(context.ChargeLetters(text.size()));
  bool cased = false;
  for (size_t at = 0; at < text.size(); at += SequenceLength(text, at)) {
    const char32_t c = CodePointAt(text, at);
    if (kOther(c) || IsTitlecase(c)) return false;
    cased = cased || kSame(c);
  }
  return cased;
}

absl::StatusOr<Value> OneArgument(const Arguments& arguments) {
  Value other;
  RETURN_IF_ERROR(BindArguments("test", arguments, {"other"}, 1, absl::MakeSpan(&other, 1)));
  return other;
}

template <Comparison kComparison>
Result CompareWith(RenderContext& context, const Value& value, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Value other, OneArgument(arguments));
  return Compare(context, kComparison, value, other);
}

Result SameAs(RenderContext&, const Value& value, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Value other, OneArgument(arguments));
  return value.Same(other);
}

absl::StatusOr<WideInt> Remainder(RenderContext& context, const Value& value, const Value& by) {
  ASSIGN_OR_RETURN(const Value remainder, Apply(context, BinaryOperator::kMod, value, by));
  if (remainder.is(Kind::kFloat)) {
    return static_cast<WideInt>(remainder.real() == 0 ? 0 : remainder.real() == 1 ? 1 : 2);
  }
  return remainder.integral() ? remainder.integer() : WideInt{2};
}

template <int kRemainder>
Result Parity(RenderContext& context, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("test", arguments, {}, 0, {}));
  ASSIGN_OR_RETURN(const WideInt remainder, Remainder(context, value, Value::Int(2)));
  return remainder == kRemainder;
}

Result DivisibleBy(RenderContext& context, const Value& value, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Value by, OneArgument(arguments));
  ASSIGN_OR_RETURN(const WideInt remainder, Remainder(context, value, by));
  return remainder == 0;
}

// The name of a filter or a test.
absl::StatusOr<std::string_view> NameFrom(RenderContext& context, const Value& value,
                                          const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("test", arguments, {}, 0, {}));
  if (!Hashable(context, value)) return TypeError({"unhashable type: '", TypeName(value), "'"});
  return value.string() ? value.text() : std::string_view();
}

Result IsFilterName(RenderContext& context, const Value& value, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string_view name, NameFrom(context, value, arguments));
  return FindFilter(name) != nullptr;
}

Result IsTestName(RenderContext& context, const Value& value, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string_view name, NameFrom(context, value, arguments));
  return FindTest(name) != nullptr;
}

constexpr TestEntry kTests[] = {
    {"!=", &CompareWith<Comparison::kNotEqual>},
    {"<", &CompareWith<Comparison::kLess>},
    {"<=", &CompareWith<Comparison::kLessEqual>},
    {"==", &CompareWith<Comparison::kEqual>},
    {">", &CompareWith<Comparison::kGreater>},
    {">=", &CompareWith<Comparison::kGreaterEqual>},
    {"boolean", &Is<IsBoolean>},
    {"callable", &Is<IsCallable>},
    {"defined", &Is<IsDefined>},
    {"divisibleby", &DivisibleBy},
    {"eq", &CompareWith<Comparison::kEqual>},
    {"equalto", &CompareWith<Comparison::kEqual>},
    {"escaped", &Is<IsEscaped>},
    {"even", &Parity<0>},
    {"false", &Is<IsFalse>},
    {"filter", &IsFilterName},
    {"float", &Is<IsFloat>},
    {"ge", &CompareWith<Comparison::kGreaterEqual>},
    {"greaterthan", &CompareWith<Comparison::kGreater>},
    {"gt", &CompareWith<Comparison::kGreater>},
    {"in", &CompareWith<Comparison::kIn>},
    {"integer", &Is<IsInteger>},
    {"iterable", &Is<IsIterable>},
    {"le", &CompareWith<Comparison::kLessEqual>},
    {"lessthan", &CompareWith<Comparison::kLess>},
    {"lower", &HasCase<IsUppercase, IsLowercase>},
    {"lt", &CompareWith<Comparison::kLess>},
    {"mapping", &Is<IsMapping>},
    {"ne", &CompareWith<Comparison::kNotEqual>},
    {"none", &Is<IsNone>},
    {"number", &Is<IsNumber>},
    {"odd", &Parity<1>},
    {"sameas", &SameAs},
    {"sequence", &Is<IsSequence>},
    {"string", &Is<IsString>},
    {"test", &IsTestName},
    {"true", &Is<IsTrue>},
    {"undefined", &Is<IsUndefined>},
    {"upper", &HasCase<IsLowercase, IsUppercase>},
};

}  // namespace

absl::Span<const TestEntry> AllTests() { return kTests; }

}  // namespace baton::frontend::internal
