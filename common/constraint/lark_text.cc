#include "common/constraint/lark_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/json_schema.h"

namespace baton {
namespace {

constexpr std::string_view kJson = "%json";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Behind a literal that begins at `at`, whose end is the next `quote` that is not escaped.
size_t SkipQuoted(std::string_view text, size_t at, char quote) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return text.size();
}

size_t SkipLine(std::string_view text, size_t at) {
  const size_t end = text.find('\n', at);
  return end == text.npos ? text.size() : end;
}

// Behind the object whose brace is at `at`.
size_t SkipObject(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      at = SkipQuoted(text, at, '"');
      continue;
    }
    if (text[at] == '{') ++depth;
    if (text[at++] == '}' && --depth == 0) return at;
  }
  return text.size();
}

// Behind the comment or literal that begins at `at`; `at` itself if none does.
size_t SkipOpaque(std::string_view text, size_t at) {
  const char c = text[at];
  const bool slashes = c == '/' && at + 1 < text.size() && text[at + 1] == '/';
  if (c == '#' || slashes) return SkipLine(text, at);
  if (c == '"' || c == '/') return SkipQuoted(text, at, c);
  return at;
}

}  // namespace

std::string LarkString(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      literal.push_back('\\');
      literal.push_back(c);
    } else if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppendFormat(&literal, "\\u%04x", byte);
    } else {
      literal.push_back(c);
    }
  }
  literal.push_back('"');
  return literal;
}

std::string LarkRegex(std::string_view expression) {
  if (expression.empty()) return "\"\"";
  std::string literal = "/";
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      literal.append(expression.substr(i++, 2));
    } else if (c == '/') {
      literal.append("\\/");
    } else if (c == '\n') {
      literal.append("\\n");
    } else {
      literal.push_back(c);
    }
  }
  literal.push_back('/');
  return literal;
}

std::string EscapeRegex(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '_' || byte >= 0x80;
    if (plain) {
      expression.push_back(c);
    } else {
      absl::StrAppendFormat(&expression, "\\x{%02x}", byte);
    }
  }
  return expression;
}

absl::StatusOr<std::string> PrepareLark(std::string_view grammar, const JsonLayout& layout,
                                        std::string_view subject) {
  std::string prepared;
  size_t rules = 0;
  size_t copied = 0;
  for (size_t at = 0; at < grammar.size();) {
    if (const size_t behind = SkipOpaque(grammar, at); behind > at) {
      at = behind;
      continue;
    }
    if (grammar[at] == ':') ++rules;
    if (!grammar.substr(at).starts_with(kJson)) {
      ++at;
      continue;
    }
    at += kJson.size();
    while (at < grammar.size() && IsSpace(grammar[at])) ++at;
    if (at == grammar.size() || grammar[at] != '{') continue;
    const size_t behind = SkipObject(grammar, at);
    ASSIGN_OR_RETURN(const std::string schema,
                     PrepareJsonSchema(grammar.substr(at, behind - at), layout,
                                       absl::StrCat(ToAbsl(subject), ": %json")));
    prepared.append(grammar.substr(copied, at - copied)).append(schema);
    copied = at = behind;
  }
  prepared.append(grammar.substr(copied));
  if (rules > kRulesMax) {
    return InvalidArgument(
        absl::StrCat(ToAbsl(subject), ": ", rules, " rules, at most ", kRulesMax));
  }
  return prepared;
}

}  // namespace baton
