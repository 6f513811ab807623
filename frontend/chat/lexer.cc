#include "frontend/chat/lexer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/string_literal.h"

namespace baton::frontend::internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// All line ends become \n, and one at the very end is dropped.
std::string NormalizeNewlines(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text.push_back(source[i]);
    } else {
      text.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizeNewlines(source)) {}

  absl::StatusOr<std::vector<Token>> Run() {
    while (position_ < source_.size()) RETURN_IF_ERROR(LexRoot());
    Push(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  std::string_view Rest() const { return std::string_view(source_).substr(position_); }
  bool At(std::string_view text) const { return Rest().substr(0, text.size()) == text; }
  void Push(TokenType type, std::string_view text) {
    tokens_.push_back(Token{type, line_, std::string(text)});
  }
  // Moves on by `bytes`, counting lines.
  void Advance(size_t bytes) {
    line_ += static_cast<int>(
        std::count(source_.begin() + static_cast<ptrdiff_t>(position_),
                   source_.begin() + static_cast<ptrdiff_t>(position_ + bytes), '\n'));
    position_ += bytes;
  }
  void SkipSpace() {
    const std::string_view rest = Rest();
    Advance(rest.size() - StripLeft(rest).size());
  }

  // Literal text up to the next tag, and the tag.
  absl::Status LexRoot() {
    const std::string_view rest = Rest();
    size_t tag = 0;
    while (true) {
      tag = rest.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= rest.size()) {
        PushData(rest, '+', /*variable=*/true);
        Advance(rest.size());
        return absl::OkStatus();
      }
      const char kind = rest[tag + 1];
      if (kind == '%' || kind == '{' || kind == '#') break;
      ++tag;
    }
    const char kind = rest[tag + 1];
    const char sign = tag + 2 < rest.size() && (rest[tag + 2] == '-' || rest[tag + 2] == '+')
                          ? rest[tag + 2]
                          : '\0';
    PushData(rest.substr(0, tag), sign, kind == '{');
    Advance(tag);
    tag_line_ = line_;
    if (kind == '%') {
      if (const std::optional<size_t> raw = RawBegin()) return LexRaw(*raw);
    }
    const TokenType begin = kind == '{' ? TokenType::kVariableBegin : TokenType::kBlockBegin;
    if (kind != '#') Push(begin, "");
    Advance(sign == '\0' ? 2 : 3);
    line_starting_ = false;
    if (kind == '#') return LexComment();
    return LexTag(kind == '{');
  }

  // Pushes literal text as the whitespace control of the tag behind it leaves it.
  void PushData(std::string_view text, char sign, bool variable) {
    std::string_view kept = text;
    if (sign == '-') {
      kept = StripRight(text);
    } else if (sign != '+' && !variable) {
      const size_t newline = text.rfind('\n');
      const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
      if ((start > 0 || line_starting_) && StripLeft(text.substr(start)).empty()) {
        kept = text.substr(0, start);
      }
    }
    if (!kept.empty()) Push(TokenType::kData, kept);
  }

  // The length of `{% raw %}` when that is what stands here.
  std::optional<size_t> RawBegin() const {
    std::string_view rest = Rest().substr(2);
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
    rest = StripLeft(rest);
    if (rest.substr(0, 3) != "raw") return std::nullopt;
    rest = StripLeft(rest.substr(3));
    if (rest.substr(0, 2) == "%}") return Rest().size() - rest.size() + 2;
    if (rest.substr(0, 3) != "-%}") return std::nullopt;
    return Rest().size() - StripLeft(rest.substr(3)).size();
  }

  absl::Status LexRaw(size_t begin_bytes) {
    line_starting_ = source_[position_ + begin_bytes - 1] == '\n';
    Advance(begin_bytes);
    const std::string_view rest = Rest();
    for (size_t at = rest.find("{%"); at != std::string_view::npos; at = rest.find("{%", at + 2)) {
      std::string_view tail = rest.substr(at + 2);
      char sign = '\0';
      if (!tail.empty() && (tail[0] == '-' || tail[0] == '+')) {
        sign = tail[0];
        tail.remove_prefix(1);
      }
      tail = StripLeft(tail);
      if (tail.substr(0, 6) != "endraw") continue;
      tail = StripLeft(tail.substr(6));
      const size_t end = TagEndLength(tail, /*variable=*/false);
      if (end == 0) continue;
      PushData(rest.substr(0, at), sign, /*variable=*/false);
      const size_t bytes = rest.size() - tail.size() + end;
      line_starting_ = rest[bytes - 1] == '\n';
      Advance(bytes);
      return absl::OkStatus();
    }
    return SyntaxError(line_, "Missing end of raw directive");
  }

  // The length of a tag's end with the white space that it takes along, or 0.
  static size_t TagEndLength(std::string_view text, bool variable) {
    const std::string_view close = variable ? "}}" : "%}";
    if (text.substr(0, 1) == "-" && text.substr(1, 2) == close) {
      return text.size() - StripLeft(text.substr(3)).size();
    }
    if (!variable && text.substr(0, 1) == "+" && text.substr(1, 2) == close) return 3;
    if (text.substr(0, 2) != close) return 0;
    return !variable && text.substr(2, 1) == "\n" ? 3 : 2;
  }

  absl::Status LexComment() {
    const std::string_view rest = Rest();
    if (rest.empty()) return absl::OkStatus();  // as in Jinja, the mark alone is no fault
    const size_t close = rest.find("#}");
    if (close == std::string_view::npos)
      return SyntaxError(tag_line_, "Missing end of comment tag");
    size_t bytes = close + 2;
    const char sign = close > 0 ? rest[close - 1] : '\0';
    if (sign == '-') {
      bytes = rest.size() - StripLeft(rest.substr(bytes)).size();
    } else if (sign != '+' && rest.substr(bytes, 1) == "\n") {
      ++bytes;
    }
    line_starting_ = rest[bytes - 1] == '\n';
    Advance(bytes);
    return absl::OkStatus();
  }

  // The tokens of one {% %} or {{ }} up to and including its end.
  absl::Status LexTag(bool variable) {
    std::string open;  // brackets that are still to be closed
    while (position_ < source_.size()) {
      const size_t end = open.empty() ? TagEndLength(Rest(), variable) : 0;
      if (end > 0) {
        Push(variable ? TokenType::kVariableEnd : TokenType::kBlockEnd, "");
        line_starting_ = source_[position_ + end - 1] == '\n';
        Advance(end);
        return absl::OkStatus();
      }
      const char c = source_[position_];
      if (IsSpace(CodePointAt(source_, position_))) {
        SkipSpace();
      } else if (IsDigit(c)) {
        RETURN_IF_ERROR(LexNumber());
      } else if (IsNameByte(c)) {
        LexName();
      } else if (c == '\'' || c == '"') {
        RETURN_IF_ERROR(LexString(c));
      } else {
        RETURN_IF_ERROR(LexOperator(open));
      }
    }
    return absl::OkStatus();  // the parser says what is missing
  }

  void LexName() {
    size_t length = 1;
    while (position_ + length < source_.size() && IsNameByte(source_[position_ + length])) ++length;
    Push(TokenType::kName, Rest().substr(0, length));
    Advance(length);
  }

  // The length of digits with single underscores between them, from `at`; 0 when there are none.
  static size_t DigitsLength(std::string_view text, size_t at) {
    size_t length = 0;
    while (at + length < text.size()) {
      const char c = text[at + length];
      const bool separator = c == '_' && length > 0 && at + length + 1 < text.size() &&
                             IsDigit(text[at + length + 1]) && text[at + length - 1] != '_';
      if (!IsDigit(c) && !separator) break;
      ++length;
    }
    return length;
  }

  absl::Status LexNumber() {
    const std::string_view rest = Rest();
    size_t length = DigitsLength(rest, 0);
    bool real = false;
    const bool after_dot = position_ > 0 && source_[position_ - 1] == '.';
    if (!after_dot) {
      if (rest.substr(length, 1) == ".") {
        if (const size_t fraction = DigitsLength(rest, length + 1); fraction > 0) {
          real = true;
          length += 1 + fraction;
        }
      }
      if (rest.substr(length, 1) == "e" || rest.substr(length, 1) == "E") {
        const bool sign = rest.substr(length + 1, 1) == "+" || rest.substr(length + 1, 1) == "-";
        const size_t digits = DigitsLength(rest, length + 1 + (sign ? 1 : 0));
        if (digits > 0) {
          real = true;
          length += 1 + (sign ? 1 : 0) + digits;
        }
      }
    }
    return real ? PushReal(rest.substr(0, length)) : PushInteger(rest);
  }

  absl::Status PushReal(std::string_view text) {
    std::string digits(text);
    std::erase(digits, '_');
    Push(TokenType::kFloat, text);
    double& real = tokens_.back().real;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), real);
    if (result.ec == std::errc::result_out_of_range) {
      real = digits.find('-') == std::string::npos ? HUGE_VAL : 0;
    }
    Advance(text.size());
    return absl::OkStatus();
  }

  absl::Status PushInteger(std::string_view rest) {
    int base = 10;
    size_t length = 0;
    const char marker = rest.size() > 2 && rest[0] == '0' ? static_cast<char>(rest[1] | 0x20) : ' ';
    const int marked = marker == 'x' ? 16 : marker == 'o' ? 8 : marker == 'b' ? 2 : 10;
    const auto digit_of_base = [&](char c) {
      const int value = IsDigit(c)                               ? c - '0'
                        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                 : 99;
      return value < marked;
    };
    if (marked != 10 && digit_of_base(rest[2])) {
      base = marked;
      length = 2;
      while (length < rest.size() && (digit_of_base(rest[length]) || rest[length] == '_')) ++length;
    } else if (rest[0] == '0') {
      while (length < rest.size() && (rest[length] == '0' || rest[length] == '_')) ++length;
    } else {
      length = DigitsLength(rest, 0);
    }
    std::string digits(rest.substr(base == 10 ? 0 : 2, length - (base == 10 ? 0 : 2)));
    std::erase(digits, '_');
    Push(TokenType::kInteger, rest.substr(0, length));
    const auto result =
        std::from_chars(digits.data(), digits.data() + digits.size(), tokens_.back().integer, base);
    if (result.ec != std::errc()) return SyntaxError(line_, "integer literal out of range");
    Advance(length);
    return absl::OkStatus();
  }

  absl::Status LexString(char quote) {
    const std::string_view rest = Rest();
    size_t close = 1;
    while (close < rest.size() && rest[close] != quote) close += rest[close] == '\\' ? 2 : 1;
    if (close >= rest.size()) {
      return SyntaxError(line_, std::string("unexpected char '") + quote + "'");
    }
    absl::StatusOr<std::string> text = UnescapeLiteral(rest.substr(1, close - 1));
    if (!text.ok()) return SyntaxError(line_, ToStd(text.status().message()));
    Push(TokenType::kString, *text);
    Advance(close + 1);
    return absl::OkStatus();
  }

  absl::Status LexOperator(std::string& open) {
    constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                               "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                               ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (const std::string_view op : kOperators) {
      if (!At(op)) continue;
      if (op == "(" || op == "[" || op == "{") {
        open.push_back(op == "(" ? ')' : op == "[" ? ']' : '}');
      } else if (op == ")" || op == "]" || op == "}") {
        if (open.empty()) return SyntaxError(line_, "unexpected '" + std::string(op) + "'");
        const char expected = open.back();
        open.pop_back();
        if (expected != op[0]) {
          return SyntaxError(line_,
                             "unexpected '" + std::string(op) + "', expected '" + expected + "'");
        }
      }
      Push(TokenType::kOperator, op);
      Advance(op.size());
      return absl::OkStatus();
    }
    return SyntaxError(
        line_,
        "unexpected char '" + source_.substr(position_, SequenceLength(source_, position_)) + "'");
  }

  const std::string source_;
  size_t position_ = 0;
  int line_ = 1;
  int tag_line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source) { return Lexer(source).Run(); }

std::string Describe(const Token& token) {
  switch (token.type) {
    case TokenType::kData:
      return "template data / text";
    case TokenType::kVariableBegin:
      return "begin of print statement";
    case TokenType::kVariableEnd:
      return "end of print statement";
    case TokenType::kBlockBegin:
      return "begin of statement block";
    case TokenType::kBlockEnd:
      return "end of statement block";
    case TokenType::kEnd:
      return "end of template";
    case TokenType::kString:
      return "string";
    case TokenType::kInteger:
      return "integer";
    case TokenType::kFloat:
      return "float";
    default:
      return token.text;
  }
}

absl::Status SyntaxError(int line, std::string_view message) {
  return InvalidArgument("line " + std::to_string(line) + ": " + std::string(message));
}

}  // namespace baton::frontend::internal
