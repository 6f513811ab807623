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

// The digits of a Python number: white space around and single underscores inside are allowed.
std::string NumberText(std::string_view text) {
  std::string digits(StripRight(StripLeft(text)));
  std::erase(digits, '_');
  if (!digits.empty() && digits[0] == '+') digits.erase(0, 1);
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

std::optional<Value> ParseInteger(std::string_view text, int base) {
  std::string digits = NumberText(text);
  const bool prefixed =
      digits.size() > 2 && digits[0] == '0' &&
      ((base == 16 && (digits[1] | 0x20) == 'x') || (base == 8 && (digits[1] | 0x20) == 'o') ||
       (base == 2 && (digits[1] | 0x20) == 'b'));
  if (prefixed) digits.erase(0, 2);
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || result.ec != std::errc() || result.ptr != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return Value::Int(value);
}

Value RealToInteger(double value, const Value& fallback) {
  if (!std::isfinite(value) || std::fabs(value) >= 9.2e18) return fallback;
  return Value::Int(static_cast<int64_t>(value));
}

Result ToInteger(RenderContext&, const Value& value, const Arguments& arguments) {
  Value bound[2];  // default, base
  RETURN_IF_ERROR(
      BindArguments("do_int", arguments, {"default", "base"}, 0, absl::MakeSpan(bound)));
  const Value fallback = bound[0].missing() ? Value::Int(0) : bound[0];
  if (value.undefined()) return UndefinedError(value);
  if (value.integral()) return MakeInteger(value.integer());
  if (value.is(Kind::kFloat)) return RealToInteger(value.real(), fallback);
  if (!value.string()) return fallback;
  const int base = bound[1].integral() ? static_cast<int>(bound[1].integer()) : 10;
  if (base < 2 || base > 36) return fallback;
  if (const std::optional<Value> integer = ParseInteger(value.text(), base)) return *integer;
  if (const std::optional<double> real = ParseReal(value.text())) {
    return RealToInteger(*real, fallback);
  }
  return fallback;
}

Result ToReal(RenderContext&, const Value& value, const Arguments& arguments) {
  Value fallback;
  RETURN_IF_ERROR(
      BindArguments("do_float", arguments, {"default"}, 0, absl::MakeSpan(&fallback, 1)));
  if (fallback.missing()) fallback = Value::Float(0);
  if (value.undefined()) return UndefinedError(value);
  if (value.number()) return Value::Float(value.real());
  if (!value.string()) return fallback;
  const std::optional<double> real = ParseReal(value.text());
  return real.has_value() ? Value::Float(*real) : fallback;
}

Result Absolute(RenderContext&, const Value& value, const Arguments&) {
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
  if (value.undefined()) return UndefinedError(value);
  if (!value.number()) {
    return TypeError({"type ", TypeName(value), " doesn't define __round__ method"});
  }
  const std::string_view method = bound[1].string() ? bound[1].text() : "common";
  const auto precision = bound[0].integral()
                             ? static_cast<int>(std::clamp<WideInt>(bound[0].integer(), -300, 300))
                             : 0;
  if (method == "common") {
    if (value.integral() && precision >= 0) return MakeInteger(value.integer());
    const double rounded = RoundReal(value.real(), precision);
    return value.integral() ? Value::Int(static_cast<int64_t>(rounded)) : Value::Float(rounded);
  }
  if (method != "ceil" && method != "floor") {
    return PythonError("FilterArgumentError", {"method must be common, ceil or floor"});
  }
  const double scale = std::pow(10, precision);
  const double scaled = value.real() * scale;
  return Value::Float((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
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
    {"abs", &Absolute}, {"d", &Default},     {"default", &Default},
    {"float", &ToReal}, {"int", &ToInteger}, {"round", &Round},
};

}  // namespace

absl::Span<const FilterEntry> NumberFilters() { return kFilters; }

}  // namespace baton::frontend::internal
