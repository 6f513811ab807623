#include "common/config/option_value.h"

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

}  // namespace

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
