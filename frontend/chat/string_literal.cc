#include "frontend/chat/string_literal.h"

#include <charconv>
#include <optional>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

std::optional<char> SimpleEscape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<char32_t> HexDigits(std::string_view text, size_t count) {
  unsigned value = 0;
  const std::string_view digits = text.substr(0, count);
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() < count || result.ptr != digits.data() + count) {
    return InvalidArgument("truncated escape in a string literal");
  }
  if (value > 0x10FFFF) return InvalidArgument("illegal Unicode character");
  return static_cast<char32_t>(value);
}

bool IsHighSurrogate(char32_t c) { return c >= 0xD800 && c < 0xDC00; }
bool IsLowSurrogate(char32_t c) { return c >= 0xDC00 && c < 0xE000; }

// \x41, \u0041, \U00000041; returns the bytes read behind the letter.
absl::StatusOr<size_t> AppendHexEscape(std::string& out, char letter, std::string_view rest) {
  const size_t count = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  ASSIGN_OR_RETURN(char32_t c, HexDigits(rest, count));
  size_t read = count;
  if (IsHighSurrogate(c) && rest.substr(count, 2) == "\\u") {
    const absl::StatusOr<char32_t> low = HexDigits(rest.substr(count + 2), 4);
    if (low.ok() && IsLowSurrogate(*low)) {
      c = 0x10000 + ((c - 0xD800) << 10) + (*low - 0xDC00);
      read += 6;
    }
  }
  if (IsHighSurrogate(c) || IsLowSurrogate(c)) c = 0xFFFD;  // no UTF-8 for half a pair
  AppendCodePoint(out, c);
  return read;
}

}  // namespace

absl::StatusOr<std::string> UnescapeLiteral(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      out.push_back(body[i]);
      continue;
    }
    const char letter = body[++i];
    if (const std::optional<char> simple = SimpleEscape(letter)) {
      out.push_back(*simple);
    } else if (letter == '\n') {
      continue;  // a line joined to the next
    } else if (letter >= '0' && letter <= '7') {
      char32_t c = 0;
      size_t digits = 0;
      while (digits < 3 && i + digits < body.size() && body[i + digits] >= '0' &&
             body[i + digits] <= '7') {
        c = c * 8 + static_cast<char32_t>(body[i + digits++] - '0');
      }
      AppendCodePoint(out, c);
      i += digits - 1;
    } else if (letter == 'x' || letter == 'u' || letter == 'U') {
      ASSIGN_OR_RETURN(const size_t read, AppendHexEscape(out, letter, body.substr(i + 1)));
      i += read;
    } else {
      out.push_back('\\');  // an unknown escape stands for itself
      out.push_back(letter);
    }
  }
  return out;
}

}  // namespace baton::frontend::internal
