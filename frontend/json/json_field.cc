#include "frontend/json/json_field.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/strings.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr size_t kInputBytesMax = 100;
constexpr size_t kProblemsMax = 32;
constexpr double kInt64Limit = 9223372036854775808.0;  // 2^63

// Text between quotes as the validator prints it: single ones, unless the text holds one.
std::string Quote(std::string_view text) {
  const bool use_double = text.find('\'') != std::string_view::npos;
  std::string quoted(1, use_double ? '"' : '\'');
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
    } else {
      if (c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  quoted += use_double ? '"' : '\'';
  return quoted;
}

std::string Shorten(std::string_view text) {
  if (text.size() <= kInputBytesMax) return std::string(text);
  size_t end = kInputBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(ToAbsl(text.substr(0, end)), "...");
}

std::string DescribeDouble(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e16) {
    return absl::StrCat(static_cast<int64_t>(value), ".0");
  }
  // A whole number too large for 64 bits was an integer in the body.
  std::array<char, 400> digits;
  const auto format = std::abs(value) >= 1e16 && value == std::floor(value)
                          ? std::chars_format::fixed
                          : std::chars_format::general;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format);
  return std::string(digits.data(), end.ptr);
}

// "1.00" is the integer 1.
std::string_view WithoutZeroFraction(std::string_view text) {
  const size_t point = text.find('.');
  const bool is_zero = point != std::string_view::npos && point > 0 && point + 1 < text.size() &&
                       text.find_first_not_of('0', point + 1) == std::string_view::npos;
  return is_zero ? text.substr(0, point) : text;
}

std::optional<bool> BoolOfText(std::string_view text) {
  const std::string word = absl::AsciiStrToLower(ToAbsl(text));
  for (const std::string_view yes : {"1", "true", "t", "yes", "y", "on"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"0", "false", "f", "no", "n", "off"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

}  // namespace

void SchemaProblems::Add(Problem problem) {
  if (problems_.size() < kProblemsMax) problems_.push_back(std::move(problem));
}

absl::Status SchemaProblems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::string text =
      absl::StrCat(problems_.size(), " validation error", problems_.size() == 1 ? ":" : "s:");
  for (const Problem& problem : problems_) {
    absl::StrAppend(&text, "\n  {'type': '", ToAbsl(problem.kind), "', 'loc': '", problem.path,
                    "', 'msg': ", Quote(problem.message), ", 'input': ", Quote(problem.input));
    if (!problem.context.empty()) absl::StrAppend(&text, ", 'ctx': {", problem.context, "}");
    absl::StrAppend(&text, "}");
  }
  return SchemaError(text, problems_.front().path);
}

std::string DescribeInput(const element& value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return absl::StrCat("<list of ", value.get_array().value_unsafe().size(), " items>");
    case element_type::OBJECT:
      return absl::StrCat("<dict of ", value.get_object().value_unsafe().size(), " items>");
    case element_type::STRING:
      return Shorten(value.get_string().value_unsafe());
    case element_type::INT64:
      return absl::StrCat(value.get_int64().value_unsafe());
    case element_type::UINT64:
      return absl::StrCat(value.get_uint64().value_unsafe());
    case element_type::DOUBLE:
      return DescribeDouble(value.get_double().value_unsafe());
    case element_type::BOOL:
      return value.get_bool().value_unsafe() ? "True" : "False";
    default:
      return "None";
  }
}

void JsonField::Problem(std::string_view kind, std::string_view message,
                        std::string context) const {
  problems_.Add({.kind = kind,
                 .path = path_,
                 .message = std::string(message),
                 .input = DescribeInput(value_),
                 .context = std::move(context)});
}

void JsonField::Missing(std::string_view member) const {
  problems_.Add({.kind = "missing",
                 .path = absl::StrCat(path_, ".", ToAbsl(member)),
                 .message = "Field required",
                 .input = DescribeInput(value_),
                 .context = ""});
}

bool JsonField::IsNull() const { return value_.is_null(); }

bool JsonField::IsEmpty() const {
  switch (value_.type()) {
    case element_type::NULL_VALUE:
      return true;
    case element_type::ARRAY:
      return value_.get_array().value_unsafe().size() == 0;
    case element_type::OBJECT:
      return value_.get_object().value_unsafe().size() == 0;
    case element_type::STRING:
      return value_.get_string().value_unsafe().empty();
    case element_type::BOOL:
      return !value_.get_bool().value_unsafe();
    default: {
      double number = 1;
      return value_.get(number) == simdjson::SUCCESS && number == 0;
    }
  }
}

std::optional<bool> JsonField::Bool() const {
  switch (value_.type()) {
    case element_type::BOOL:
      return value_.get_bool().value_unsafe();
    case element_type::STRING: {
      const std::optional<bool> flag = BoolOfText(value_.get_string().value_unsafe());
      if (flag.has_value()) return flag;
      break;
    }
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: {
      const double number = value_.get_double().value_unsafe();
      if (number == 0 || number == 1) return number == 1;
      break;
    }
    default:
      Problem("bool_type", "Input should be a valid boolean");
      return std::nullopt;
  }
  Problem("bool_parsing", "Input should be a valid boolean, unable to interpret input");
  return std::nullopt;
}

std::optional<double> JsonField::Number() const {
  double number = 0;
  if (value_.get(number) == simdjson::SUCCESS) return number;
  if (value_.is_bool()) return value_.get_bool().value_unsafe() ? 1.0 : 0.0;
  if (!value_.is_string()) {
    Problem("float_type", "Input should be a valid number");
    return std::nullopt;
  }
  const std::string_view text = value_.get_string().value_unsafe();
  if (absl::SimpleAtod(ToAbsl(text), &number) && std::isfinite(number)) return number;
  Problem("float_parsing", "Input should be a valid number, unable to parse string as a number");
  return std::nullopt;
}

std::optional<int64_t> JsonField::Int() const {
  return ReadInt(INT64_MIN, INT64_MAX, OutOfRange::kClamp);
}

std::optional<int64_t> JsonField::IntInRange(int64_t min, int64_t max) const {
  return ReadInt(min, max, OutOfRange::kProblem);
}

std::optional<int64_t> JsonField::ReadInt(int64_t min, int64_t max, OutOfRange out) const {
  int64_t number = 0;
  double real = 0;
  bool below = false;
  bool above = false;
  if (value_.get(number) == simdjson::SUCCESS) {
    below = number < min;
    above = number > max;
  } else if (value_.get(real) == simdjson::SUCCESS) {
    if (real != std::floor(real)) {
      Problem("int_from_float",
              "Input should be a valid integer, got a number with a fractional part");
      return std::nullopt;
    }
    // An integer outside of 64 bits arrives here too; -2^63 itself would not.
    below = real <= -kInt64Limit || real < static_cast<double>(min);
    above = real >= kInt64Limit || real > static_cast<double>(max);
    if (!below && !above) number = static_cast<int64_t>(real);
  } else if (value_.is_bool()) {
    number = value_.get_bool().value_unsafe() ? 1 : 0;
  } else if (value_.is_string()) {
    if (!absl::SimpleAtoi(ToAbsl(WithoutZeroFraction(value_.get_string().value_unsafe())),
                          &number)) {
      Problem("int_parsing",
              "Input should be a valid integer, unable to parse string as an integer");
      return std::nullopt;
    }
    below = number < min;
    above = number > max;
  } else {
    Problem("int_type", "Input should be a valid integer");
    return std::nullopt;
  }
  if (out == OutOfRange::kClamp && (below || above)) return below ? min : max;
  if (below) {
    Problem("greater_than_equal", absl::StrCat("Input should be greater than or equal to ", min),
            absl::StrCat("'ge': ", min));
  } else if (above) {
    Problem("less_than_equal", absl::StrCat("Input should be less than or equal to ", max),
            absl::StrCat("'le': ", max));
  }
  return below || above ? std::nullopt : std::optional(number);
}

std::optional<std::string> JsonField::String() const {
  if (value_.is_string()) return std::string(value_.get_string().value_unsafe());
  Problem("string_type", "Input should be a valid string");
  return std::nullopt;
}

std::optional<std::vector<int64_t>> JsonField::IntList() const {
  std::vector<int64_t> list;
  bool good = true;
  const bool is_list = VisitItems([&](const JsonField& item) {
    const std::optional<int64_t> number = item.Int();
    if (number.has_value()) list.push_back(*number);
    good &= number.has_value();
  });
  return is_list && good ? std::optional(std::move(list)) : std::nullopt;
}

std::optional<std::vector<std::string>> JsonField::StringList() const {
  std::vector<std::string> list;
  bool good = true;
  const bool is_list = VisitItems([&](const JsonField& item) {
    std::optional<std::string> text = item.String();
    good &= text.has_value();
    if (text.has_value()) list.push_back(*std::move(text));
  });
  return is_list && good ? std::optional(std::move(list)) : std::nullopt;
}

bool JsonField::VisitMembers(
    absl::FunctionRef<void(std::string_view, const JsonField&)> visit) const {
  simdjson::dom::object members;
  if (value_.get(members) != simdjson::SUCCESS) {
    Problem("dict_type", "Input should be a valid dictionary");
    return false;
  }
  for (const auto [key, value] : members) {
    visit(key, JsonField(value, absl::StrCat(path_, ".", ToAbsl(key)), problems_));
  }
  return true;
}

bool JsonField::VisitItems(absl::FunctionRef<void(const JsonField&)> visit) const {
  simdjson::dom::array items;
  if (value_.get(items) != simdjson::SUCCESS) {
    Problem("list_type", "Input should be a valid list");
    return false;
  }
  size_t index = 0;
  for (const element item : items) {
    visit(JsonField(item, absl::StrCat(path_, ".", index), problems_));
    ++index;
  }
  return true;
}

}  // namespace baton::frontend
