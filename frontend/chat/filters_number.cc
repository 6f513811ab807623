// Filters that make or change numbers, and `default`.
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

using Result = absl::StatusOr<Value>;

// An integer that no value can hold.
constexpr WideInt kBeyondIntegers = WideInt{1} << 100;

bool IsBaseDigit(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// The digits of a Python number: white space around and single underscores inside are allowed.
// Empty for a text that is none for sure.
std::string NumberText(std::string_view text) {
  const std::string_view stripped = StripRight(StripLeft(text));
  std::string digits;
  for (size_t at = 0; at < stripped.size(); at += SequenceLength(stripped, at)) {
    const char32_t c = CodePointAt(stripped, at);
    AppendCodePoint(digits, IsDecimal(c) ? static_cast<char32_t>('0' + DecimalValue(c)) : c);
  }
  for (size_t at = digits.find('_'); at != std::string::npos; at = digits.find('_', at)) {
    const bool between = at > 0 && at + 1 < digits.size() && IsBaseDigit(digits[at - 1]) &&
                         IsBaseDigit(digits[at + 1]);
    if (!between) return "";
    digits.erase(at, 1);
  }
  if (digits.starts_with("+-")) return "";
  if (digits.starts_with('+')) digits.erase(0, 1);
  return digits;
}

std::optional<double> ParseReal(std::string_view text) {
  const std::string digits = NumberText(text);
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || result.ec != std::errc() || result.ptr != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

// `base` 0 is what the prefix says. An integer of more than 64 bits is an error.
absl::StatusOr<std::optional<Value>> ParseInteger(std::string_view text, int base) {
  std::string digits = NumberText(text);
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  const char mark = digits.size() > 2 && digits[0] == '0' ? static_cast<char>(digits[1] | 0x20) : 0;
  const int marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
  if (marked != 0 && (base == 0 || base == marked)) {
    digits.erase(0, 2);
    base = marked;
  }
  if (base == 0) base = 10;
  if (digits.empty() || !IsBaseDigit(digits[0])) return std::optional<Value>();
  uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (result.ptr != digits.data() + digits.size()) return std::optional<Value>();
  if (result.ec != std::errc()) return MakeInteger(kBeyondIntegers).status();
  ASSIGN_OR_RETURN(const Value integer, MakeInteger(negative ? -WideInt{value} : WideInt{value}));
  return std::optional<Value>(integer);
}

Result RealToInteger(double value, const Value& fallback) {
  if (!std::isfinite(value)) return fallback;
  return MakeInteger(std::fabs(value) < 1e30 ? static_cast<WideInt>(value) : kBeyondIntegers);
}

Result ToInteger(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value bound[2];  // default, base
  RETURN_IF_ERROR(
      BindArguments("do_int", arguments, {"default", "base"}, 0, absl::MakeSpan(bound)));
  const Value fallback = bound[0].missing() ? Value::Int(0) : bound[0];
  if (value.undefined()) return UndefinedError(value);
  if (value.integral()) return MakeInteger(value.integer());
  if (value.is(Kind::kFloat)) {
    if (std::isinf(value.real())) {
      return PythonError("OverflowError", {"cannot convert float infinity to integer"});
    }
    return RealToInteger(value.real(), fallback);
  }
  if (!value.string()) return fallback;
  RETURN_IF_ERROR(context.ChargeLetters(value.text().size() * 4));
  const int base = bound[1].integral() ? static_cast<int>(bound[1].integer()) : 10;
  if (base == 0 || (base >= 2 && base <= 36)) {
    ASSIGN_OR_RETURN(const std::optional<Value> integer, ParseInteger(value.text(), base));
    if (integer.has_value()) return *integer;
  }
  const std::optional<double> real = ParseReal(value.text());
  return real.has_value() ? RealToInteger(*real, fallback) : Result(fallback);
}

Result ToReal(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value fallback;
  RETURN_IF_ERROR(
      BindArguments("do_float", arguments, {"default"}, 0, absl::MakeSpan(&fallback, 1)));
  if (fallback.missing()) fallback = Value::Float(0);
  if (value.undefined()) return UndefinedError(value);
  if (value.number()) return Value::Float(value.real());
  if (!value.string()) return fallback;
  RETURN_IF_ERROR(context.ChargeLetters(value.text().size() * 4));
  const std::optional<double> real = ParseReal(value.text());
  return real.has_value() ? Value::Float(*real) : fallback;
}

Result Absolute(RenderContext&, const Value& value, const Arguments& arguments) {
  RETURN_IF_ERROR(BindArguments("abs", arguments, {}, 0, {}));
  if (value.undefined()) return UndefinedError(value);
  if (value.integral()) {
    const WideInt integer = value.integer();
    return MakeInteger(integer < 0 ? -integer : integer);
  }
  if (value.is(Kind::kFloat)) return Value::Float(std::fabs(value.real()));
  return TypeError({"bad operand type for abs(): '", TypeName(value), "'"});
}

// round() to `precision` digits, half to even on the exact binary value, through the decimal text.
double RoundReal(double value, int precision) {
  if (!std::isfinite(value)) return value;
  if (precision < 0) {
    const double scale = std::pow(10, -precision);
    return std::nearbyint(value / scale) * scale;
  }
  char text[400];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed,
                                 std::min(precision, 30));
  double rounded = value;
  std::from_chars(text, end.ptr, rounded);
  return rounded;
}

Result Round(RenderContext&, const Value& value, const Arguments& arguments) {
  Value bound[2];  // precision, method
  RETURN_IF_ERROR(
      BindArguments("do_round", arguments, {"precision", "method"}, 0, absl::MakeSpan(bound)));
  const std::string_view method = bound[1].string()    ? bound[1].text()
                                  : bound[1].missing() ? "common"
                                                       : "";
  if (method != "common" && method != "ceil" && method != "floor") {
    return PythonError("FilterArgumentError", {"method must be common, ceil or floor"});
  }
  if (value.undefined()) return UndefinedError(value);
  if (!value.number()) {
    return TypeError({"type ", TypeName(value), " doesn't define __round__ method"});
  }
  if (!bound[0].missing() && !bound[0].none() && !bound[0].integral()) {
    return TypeError({"'", TypeName(bound[0]), "' object cannot be interpreted as an integer"});
  }
  const auto precision = bound[0].integral()
                             ? static_cast<int>(std::clamp<WideInt>(bound[0].integer(), -300, 300))
                             : 0;
  if (method == "common") {
    if (value.integral() && precision >= 0) return MakeInteger(value.integer());
    const double rounded = RoundReal(value.real(), precision);
    return value.integral() ? Value::Int(static_cast<int64_t>(rounded)) : Value::Float(rounded);
  }
  const double scale = std::pow(10, precision);
  const double scaled = value.real() * scale;
  // What math.ceil gives is an integer, which has no negative zero.
  const double whole = (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0;
  return Value::Float(whole / scale);
}

// A number of bytes as people write it: "13 kB".
Result FileSize(RenderContext& context, const Value& value, const Arguments& arguments) {
  Value binary;
  RETURN_IF_ERROR(
      BindArguments("do_filesizeformat", arguments, {"binary"}, 0, absl::MakeSpan(&binary, 1)));
  if (value.undefined()) return UndefinedError(value);
  if (value.string()) RETURN_IF_ERROR(context.ChargeLetters(value.text().size()));
  const std::optional<double> bytes = value.string()   ? ParseReal(value.text())
                                      : value.number() ? std::optional(value.real())
                                                       : std::nullopt;
  if (!bytes.has_value() && value.string()) {
    return ValueError({"could not convert string to float: '", value.text(), "'"});
  }
  if (!bytes.has_value()) {
    return TypeError(
        {"float() argument must be a string or a real number, not '", TypeName(value), "'"});
  }
  const bool of_1024 = Truthy(binary);
  const double base = of_1024 ? 1024 : 1000;
  if (*bytes == 1) return NewText(context, "1 Byte");
  if (std::isnan(*bytes) || *bytes < -9.2e18) return ValueError({"cannot convert to integer"});
  if (*bytes < base) {
    return NewText(context, std::to_string(static_cast<int64_t>(*bytes)) + " Bytes");
  }
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  size_t i = 0;
  WideInt unit = of_1024 ? 1024 * 1024 : 1000 * 1000;
  while (i + 1 < kPrefixes.size() &&
         static_cast<long double>(*bytes) >= static_cast<long double>(unit)) {
    unit *= of_1024 ? 1024 : 1000;
    ++i;
  }
  char digits[400];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), base * *bytes / static_cast<double>(unit),
                    std::chars_format::fixed, 1);
  std::string text(digits, end.ptr);
  text.push_back(' ');
  text.push_back(of_1024 && i == 0 ? 'K' : kPrefixes[i]);
  text.append(of_1024 ? "iB" : "B");
  return NewText(context, text);
}

Result Default(RenderContext&, const Value& value, const Arguments& arguments) {
  Value bound[2];  // default_value, boolean
  RETURN_IF_ERROR(BindArguments("do_default", arguments, {"default_value", "boolean"}, 0,
                                absl::MakeSpan(bound)));
  const bool use_default = value.undefined() || (Truthy(bound[1]) && !Truthy(value));
  if (!use_default) return value;
  return bound[0].missing() ? Value::String("") : bound[0];
}

constexpr FilterEntry kFilters[] = {
    {"abs", &Absolute}, {"d", &Default},     {"default", &Default}, {"filesizeformat", &FileSize},
    {"float", &ToReal}, {"int", &ToInteger}, {"round", &Round},
};

}  // namespace

absl::Span<const FilterEntry> NumberFilters() { return kFilters; }

}  // namespace baton::frontend::internal
