#include "common/config/option_value.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/strings.h"

namespace baton {
namespace {

struct Unit {
  std::string_view suffix;
  double seconds;
};
// "ms" before "m" and "s": the longest suffix that fits is found first.
constexpr Unit kUnits[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};

// Lists of JSON are lists of YAML too.
absl::Status ParseJsonList(std::string_view text, std::vector<std::string>& values) {
  try {  // yaml-cpp reports by exception only; none leaves this function
    const YAML::Node list = YAML::Load(std::string(text));
    if (!list.IsSequence()) return InvalidArgument("expected a list");
    for (const YAML::Node& item : list) {
      if (!item.IsScalar()) return InvalidArgument("expected a list of plain values");
      values.push_back(item.Scalar());
    }
    return absl::OkStatus();
  } catch (const YAML::Exception&) {
    return InvalidArgument("expected a list");
  }
}

}  // namespace

int64_t TakeMultiple(std::string_view& text) {
  constexpr std::string_view kDecimal = "kmg";
  constexpr std::string_view kBinary = "KMG";
  if (text.size() < 2) return 1;
  const size_t decimal = kDecimal.find(text.back());
  const size_t binary = kBinary.find(text.back());
  if (decimal == std::string_view::npos && binary == std::string_view::npos) return 1;
  text.remove_suffix(1);
  const bool is_decimal = decimal != std::string_view::npos;
  int64_t multiple = 1;
  for (size_t i = 0; i <= (is_decimal ? decimal : binary); ++i)
    multiple *= is_decimal ? 1000 : 1024;
  return multiple;
}

absl::Status ParseOption(std::string_view text, bool& value) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") {
    value = true;
  } else if (text == "false" || text == "no" || text == "off" || text == "0") {
    value = false;
  } else {
    return InvalidArgument("expected true or false");
  }
  return absl::OkStatus();
}

absl::Status ParseOption(std::string_view text, double& value) {
  double parsed = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &parsed) || !std::isfinite(parsed)) {
    return InvalidArgument("expected a number");
  }
  value = parsed;
  return absl::OkStatus();
}

absl::Status ParseOption(std::string_view text, std::string& value) {
  value = std::string(text);
  return absl::OkStatus();
}

absl::Status ParseOption(std::string_view text, Duration& value) {
  double unit_seconds = 1;
  for (const Unit& unit : kUnits) {
    if (text.ends_with(unit.suffix)) {
      text.remove_suffix(unit.suffix.size());
      unit_seconds = unit.seconds;
      break;
    }
  }
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &number) || !(number >= 0) || number * unit_seconds > 1e9) {
    return InvalidArgument("expected a duration such as 500ms, 2s or 1m");
  }
  value =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number * unit_seconds));
  return absl::OkStatus();
}

absl::Status ParseListOption(std::string_view text, char separator,
                             std::vector<std::string>& values) {
  const bool json = separator == ',' && text.starts_with('[') && text.ends_with(']');
  if (json) return ParseJsonList(text, values);
  while (true) {
    const size_t end = text.find(separator);
    const std::string_view item = text.substr(0, end);
    if (item.empty()) return InvalidArgument("expected a list without empty items");
    values.emplace_back(item);
    if (end == std::string_view::npos) return absl::OkStatus();
    text.remove_prefix(end + 1);
  }
}

std::string OptionToText(bool value) { return value ? "true" : "false"; }
std::string OptionToText(double value) { return absl::StrCat(value); }
std::string OptionToText(const std::string& value) { return value; }

std::string OptionToText(Duration value) {
  const double seconds = ToSeconds(value);
  if (seconds > 0 && seconds < 1) return absl::StrCat(seconds * 1e3, "ms");
  return absl::StrCat(seconds, "s");
}

std::string OptionToText(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) absl::StrAppend(&text, text.empty() ? "" : ",", value);
  return text;
}

}  // namespace baton
