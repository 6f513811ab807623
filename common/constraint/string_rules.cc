#include "common/constraint/string_rules.h"

namespace baton {
namespace {

// White space and line ends of ECMA-262, as ranges.
constexpr std::string_view kSpaces =
    R"(\t-\r\x20\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kNoLineEnd = R"([^\n\r\x{2028}\x{2029}])";

constexpr std::string_view kDate =
    "^([0-9]{4}-(0[13-9]|1[0-2])-[0-9]{2}|[0-9]{4}-02-([01][0-9]|2[0-8])"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
constexpr std::string_view kTime = "^[0-9]{2}:[0-9]{2}:[0-5]";
constexpr std::string_view kDateTime =
    "^([0-9]{4}-(0[13-9]|1[0-2])-[0-9]{2}|[0-9]{4}-02-([01][0-9]|2[0-8])"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
    "[tT][0-9]{2}:[0-9]{2}:[0-5]";
// No label with hyphens in the third and fourth place.
constexpr std::string_view kHostname =
    "^[a-zA-Z0-9]([a-zA-Z0-9-]([a-zA-Z0-9][a-zA-Z0-9-]*|-([a-zA-Z0-9][a-zA-Z0-9-]*)?)?)?"
    "(\\.[a-zA-Z0-9]([a-zA-Z0-9-]([a-zA-Z0-9][a-zA-Z0-9-]*|-([a-zA-Z0-9][a-zA-Z0-9-]*)?)?)?)*$";

}  // namespace

std::string EngineRegex(std::string_view ecma) {
  std::string regex;
  bool in_class = false;
  for (size_t i = 0; i < ecma.size(); ++i) {
    const char c = ecma[i];
    if (c == '\\' && i + 1 < ecma.size()) {
      const char escaped = ecma[++i];
      if (escaped == 's' || escaped == 'S') {
        regex.append(escaped == 's' ? "[" : "[^").append(kSpaces).append("]");
      } else {
        regex.push_back(c);
        regex.push_back(escaped);
      }
      continue;
    }
    if (c == '.' && !in_class) {
      regex.append(kNoLineEnd);
      continue;
    }
    if (c == '[' && in_class) regex.push_back('\\');  // there, a class within a class
    in_class = in_class ? c != ']' : c == '[';
    regex.push_back(c);
  }
  return regex;
}

std::string_view StricterFormat(std::string_view format) {
  if (format == "date") return kDate;
  if (format == "time") return kTime;
  if (format == "date-time") return kDateTime;
  if (format == "hostname") return kHostname;
  return "";
}

}  // namespace baton
