#include "common/constraint/string_rules.h"

#include <algorithm>
#include <vector>

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

// Behind the character, escape or class at `at`.
size_t SkipAtom(std::string_view text, size_t at) {
  if (text[at] == '\\') return std::min(at + 2, text.size());
  if (text[at] != '[') return at + 1;
  ++at;
  if (at < text.size() && text[at] == '^') ++at;
  if (at < text.size() && text[at] == ']') ++at;  // the first one is a character
  while (at < text.size() && text[at] != ']') at = text[at] == '\\' ? at + 2 : at + 1;
  return std::min(at + 1, text.size());
}

bool MayRepeat(std::string_view text, size_t at) {
  return at < text.size() && (text[at] == '*' || text[at] == '+' || text[at] == '{');
}

// The parenthesis that ends the group around `at`, or the end.
size_t EndOfGroup(std::string_view text, size_t at) {
  for (int depth = 0; at < text.size(); at = SkipAtom(text, at)) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && depth-- == 0) return at;
  }
  return text.size();
}

// Whether nothing can follow what ends at `at`.
bool IsAtEnd(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (text[at] == '|') at = EndOfGroup(text, at);
    if (at == text.size()) return true;
    if (text[at] != ')' || MayRepeat(text, at + 1)) return false;
    at += at + 1 < text.size() && text[at + 1] == '?' ? 2 : 1;
  }
  return true;
}

// Behind what opens the group at `at`: "(", "(?:", "(?<name>".
size_t SkipGroupHead(std::string_view text, size_t at) {
  if (!text.substr(at).starts_with("(?")) return at + 1;
  while (at < text.size() && text[at] != ':' && text[at] != '>' && text[at] != ')') ++at;
  return at < text.size() && text[at] != ')' ? at + 1 : at;
}

}  // namespace

std::string WithoutOuterAnchors(std::string_view expression) {
  std::string kept;
  bool at_start = true;           // nothing can come before what is next
  std::vector<bool> group_start;  // the same for the groups around it, from outside in
  for (size_t at = 0; at < expression.size();) {
    const char c = expression[at];
    size_t next = SkipAtom(expression, at);
    const bool dropped = (c == '^' && at_start) || (c == '$' && IsAtEnd(expression, next));
    if (c == '(') {
      next = std::max(next, SkipGroupHead(expression, at));
      at_start = at_start && !MayRepeat(expression, EndOfGroup(expression, next) + 1);
      group_start.push_back(at_start);
    } else if (c == '|') {
      at_start = group_start.empty() || group_start.back();
    } else if (!dropped) {
      at_start = false;
      if (c == ')' && !group_start.empty()) group_start.pop_back();
    }
    if (!dropped) kept.append(expression.substr(at, next - at));
    at = next;
  }
  return kept;
}

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
