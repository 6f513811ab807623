#include "frontend/tools/python_literal.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "absl/strings/str_format.h"

namespace baton::frontend {
namespace {

constexpr size_t kWordBytesMax = 400;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
         c == '.' || c == '_';
}
bool IsQuote(char c) { return c == '"' || c == '\''; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The digits of a base below 17 as decimal ones; empty if one is none of the base.
std::string DecimalOf(std::string_view digits, int base) {
  std::string decimal = "0";  // the last digit first
  for (const char c : digits) {
    int carry = HexValue(c);
    if (carry < 0 || carry >= base) return "";
    for (char& digit : decimal) {
      carry += (digit - '0') * base;
      digit = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) decimal += static_cast<char>('0' + carry % 10);
  }
  std::reverse(decimal.begin(), decimal.end());
  return digits.empty() ? "" : decimal;
}

// Underscores may stand between digits.
bool DropUnderscores(std::string& word) {
  for (size_t at = word.find('_'); at != std::string::npos; at = word.find('_', at)) {
    const bool between = at > 0 && at + 1 < word.size() && HexValue(word[at - 1]) >= 0 &&
                         HexValue(word[at + 1]) >= 0;
    if (!between) return false;
    word.erase(at, 1);
  }
  return true;
}

// A number as JSON, or nothing.
std::string NumberJson(std::string number) {
  if (number.empty() || (!IsDigit(number[0]) && number[0] != '.')) return "";
  if (!DropUnderscores(number)) return "";
  if (number.size() > 2 && number[0] == '0' && !IsDigit(number[1])) {
    const char mark = static_cast<char>(number[1] | 0x20);
    const int base = mark == 'x' ? 16 : (mark == 'o' ? 8 : (mark == 'b' ? 2 : 0));
    if (base != 0) return DecimalOf(std::string_view(number).substr(2), base);
  }
  if (number[0] == '.') number.insert(0, "0");
  const size_t point = number.find('.');
  if (point != std::string::npos && (point + 1 == number.size() || !IsDigit(number[point + 1]))) {
    number.insert(point + 1, "0");
  }
  JsonReader reader;
  std::string copy;
  for (const char byte : number) {
    if (reader.Push(byte, &copy) != JsonReader::Step::kMore) return "";
  }
  return reader.CompleteAtEnd() ? number : "";
}

// A complete number or word as JSON, or nothing.
std::string WordJson(const std::string& word, bool is_signed, bool negative) {
  if (!is_signed) {
    if (word == "True" || word == "true") return "true";
    if (word == "False" || word == "false") return "false";
    if (word == "None" || word == "null") return "null";
  }
  const std::string number = NumberJson(word);
  return negative && !number.empty() && number != "0" ? "-" + number : number;
}

// What the letters in front of a quote say.
struct Prefix {
  bool raw = false;
  bool format = false;
};

bool ReadPrefix(std::string_view word, Prefix& prefix) {
  std::string small;
  for (const char c : word) small += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  prefix.raw = small.find('r') != std::string::npos;
  prefix.format = small.find('f') != std::string::npos;
  return small == "r" || small == "u" || small == "f" || small == "fr" || small == "rf";
}

}  // namespace

PythonLiteral::Step PythonLiteral::Push(char byte, std::string* json) {
  const Step step = Advance(byte);
  if (unclear_ == 0) {
    *json += held_;
    held_.clear();
  }
  return step;
}

PythonLiteral::Step PythonLiteral::Advance(char byte) {
  switch (state_) {
    case State::kWord:
      return PushWord(byte);
    case State::kQuotes:
      return PushQuotes(byte);
    case State::kText:
      return PushText(byte);
    case State::kEscape:
      return PushEscape(byte);
    case State::kCode:
      return PushCode(byte);
    case State::kOctal:
      return PushOctal(byte);
    default:
      break;
  }
  const PythonBlanks::Byte kind = blanks_.Read(byte);
  if (kind == PythonBlanks::Byte::kInvalid) return Step::kInvalid;
  if (kind == PythonBlanks::Byte::kBlank) return Step::kMore;
  switch (state_) {
    case State::kSign:
      return PushSign(byte);
    case State::kAfterText:
      return PushAfterText(byte);
    case State::kAfterValue:
      return PushAfterValue(byte);
    case State::kColon:
      return PushColon(byte);
    default:
      return BeginValue(byte);
  }
}

// What was held for something unclear is dropped with it.
void PythonLiteral::Close(std::string* json) {
  if (unclear_ > 0) {
    while (unclear_ > 0) {
      const Shape shape = open_.back().shape;
      if (shape == Shape::kParenthesis || shape == Shape::kBrace) --unclear_;
      open_.pop_back();
    }
    const bool in_dict = !open_.empty() && open_.back().shape == Shape::kDict;
    if (in_dict) *json += "null";
  } else {
    const bool in_text = state_ == State::kText || state_ == State::kQuotes ||
                         state_ == State::kEscape || state_ == State::kCode ||
                         state_ == State::kOctal || state_ == State::kAfterText ||
                         (state_ == State::kWord && joins_);
    const bool in_word = (state_ == State::kWord && !joins_) || state_ == State::kSign;
    if (in_text) *json += '"';
    if (state_ == State::kColon || (in_text && place_ == State::kKey)) *json += ": null";
    if (state_ == State::kDictValue || (in_word && place_ == State::kDictValue)) *json += "null";
  }
  for (; !open_.empty(); open_.pop_back()) *json += open_.back().shape == Shape::kDict ? '}' : ']';
  held_.clear();
  state_ = State::kAfterValue;
}

// What separates an item from the one before it, once something of the item is there.
void PythonLiteral::BeginItem() {
  if (place_ != State::kDictValue && !open_.empty() && open_.back().count > 0) held_ += ", ";
}

PythonLiteral::Step PythonLiteral::LeaveValue(Part part) {
  last_ = part;
  state_ = State::kAfterValue;
  if (open_.empty()) return Step::kEnd;
  ++open_.back().count;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::BeginValue(char byte) {
  const bool closes = byte == ']' || byte == ')' || byte == '}';
  if (closes && state_ != State::kDictValue) return CloseContainer(byte);
  place_ = state_;
  negative_ = false;
  joins_ = false;
  if (IsQuote(byte)) {
    raw_ = format_ = false;
    return BeginText(byte, /*joins=*/false);
  }
  if (byte == '[' || byte == '(' || byte == '{') return Open(byte);
  word_.clear();
  if (byte == '+' || byte == '-') {
    state_ = State::kSign;
    return PushSign(byte);
  }
  if (!IsWordByte(byte)) return Step::kInvalid;
  word_ = byte;
  state_ = State::kWord;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::Open(char byte) {
  if (open_.size() >= JsonReader::kDepthMax || place_ == State::kKey) return Step::kInvalid;
  BeginItem();
  const Shape shape =
      byte == '[' ? Shape::kList : (byte == '(' ? Shape::kParenthesis : Shape::kBrace);
  open_.push_back({.shape = shape, .held_at = held_.size()});
  if (shape != Shape::kList) ++unclear_;
  held_ += byte == '{' ? '{' : '[';
  state_ = State::kItem;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::CloseContainer(char byte) {
  if (open_.empty()) return Step::kInvalid;
  const Container container = open_.back();
  const bool round = container.shape == Shape::kParenthesis || container.shape == Shape::kTuple;
  if (byte != (container.shape == Shape::kList ? ']' : (round ? ')' : '}'))) return Step::kInvalid;
  open_.pop_back();
  if (container.shape == Shape::kParenthesis) --unclear_;
  if (container.shape == Shape::kBrace) --unclear_;
  if (container.shape == Shape::kParenthesis && container.count == 1) {
    held_.erase(container.held_at, 1);
    return LeaveValue(last_);
  }
  const bool set =
      container.shape == Shape::kSet || (container.shape == Shape::kBrace && container.count > 0);
  if (container.shape == Shape::kBrace && set) held_[container.held_at] = '[';
  held_ += byte == '}' && !set ? '}' : ']';
  return LeaveValue(Part::kOther);
}

PythonLiteral::Step PythonLiteral::PushAfterValue(char byte) {
  if (open_.empty()) return Step::kInvalid;
  Container& container = open_.back();
  if (byte == ':' && container.shape == Shape::kBrace) {
    if (last_ == Part::kOther) return Step::kInvalid;
    if (last_ == Part::kWord) {
      held_.insert(container.held_at + 1, 1, '"');
      held_ += '"';
    }
    container.shape = Shape::kDict;
    container.count = 0;
    --unclear_;
    return PushColon(byte);
  }
  if (byte != ',') return CloseContainer(byte);
  if (container.shape == Shape::kParenthesis) {
    container.shape = Shape::kTuple;
    --unclear_;
  } else if (container.shape == Shape::kBrace) {
    held_[container.held_at] = '[';
    container.shape = Shape::kSet;
    --unclear_;
  }
  state_ = container.shape == Shape::kDict ? State::kKey : State::kItem;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushColon(char byte) {
  if (byte != ':') return Step::kInvalid;
  held_ += ": ";
  state_ = State::kDictValue;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushSign(char byte) {
  if (byte == '+' || byte == '-') {
    negative_ = negative_ != (byte == '-');
    return Step::kMore;
  }
  if (!IsDigit(byte) && byte != '.') return Step::kInvalid;
  word_ = std::string("+") + byte;  // a sign was there
  state_ = State::kWord;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushWord(char byte) {
  if (IsWordByte(byte) && word_.size() < kWordBytesMax) {
    word_ += byte;
    return Step::kMore;
  }
  if (IsQuote(byte)) {
    Prefix prefix;
    if (!ReadPrefix(word_, prefix)) return Step::kInvalid;
    raw_ = prefix.raw;
    format_ = prefix.format;
    return BeginText(byte, joins_);
  }
  if (joins_) return Step::kInvalid;
  const bool is_signed = word_.starts_with('+');
  const std::string word = WordJson(word_.substr(is_signed ? 1 : 0), is_signed, negative_);
  if (word.empty()) return Step::kInvalid;
  BeginItem();
  if (place_ == State::kKey) {
    held_ += "\"" + word + "\"";
    state_ = State::kColon;
    return Advance(byte);
  }
  held_ += word;
  return LeaveValue(Part::kWord) == Step::kEnd ? Step::kEndBefore : Advance(byte);
}

PythonLiteral::Step PythonLiteral::BeginText(char quote, bool joins) {
  if (!joins) {
    BeginItem();
    held_ += '"';
  }
  joins_ = false;
  quote_ = quote;
  quotes_ = 1;
  quote_run_ = 0;
  brace_ = '\0';
  state_ = State::kQuotes;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushQuotes(char byte) {
  if (byte == quote_) {
    if (++quotes_ == 3) state_ = State::kText;
    return Step::kMore;
  }
  state_ = quotes_ == 2 ? State::kAfterText : State::kText;
  return Advance(byte);
}

// Whether the byte is the half of "{{" or "}}", which stand for one brace in formatted text.
bool PythonLiteral::TakesFormatBrace(char byte) {
  if (!format_ || (byte != '{' && byte != '}') || brace_ != '\0') return false;
  brace_ = byte;
  return true;
}

PythonLiteral::Step PythonLiteral::PushText(char byte) {
  if (TakesFormatBrace(byte)) return Step::kMore;
  if (brace_ != '\0') {
    if (byte != brace_) return Step::kInvalid;  // an expression
    brace_ = '\0';
  }
  if (byte == quote_) {
    if (++quote_run_ == quotes_) state_ = State::kAfterText;
    return Step::kMore;
  }
  for (; quote_run_ > 0; --quote_run_) AppendText(quote_);
  if (byte == '\\') {
    state_ = State::kEscape;
  } else {
    AppendText(byte);
  }
  return Step::kMore;
}

void PythonLiteral::AppendText(char byte) {
  if (static_cast<unsigned char>(byte) < 0x20) {
    AppendCode(static_cast<uint32_t>(byte));
    return;
  }
  if (byte == '"' || byte == '\\') held_ += '\\';
  held_ += byte;
}

void PythonLiteral::AppendCode(uint32_t code) {
  if (code == '\n') {
    held_ += "\\n";
  } else if (code >= 0x20 && code < 0x7F) {
    AppendText(static_cast<char>(code));
  } else if (code >= 0x10000) {
    held_ += absl::StrFormat("\\u%04x\\u%04x", 0xD7C0 + (code >> 10U), 0xDC00 + (code & 0x3FFU));
  } else {
    held_ += absl::StrFormat("\\u%04x", code);
  }
}

PythonLiteral::Step PythonLiteral::PushEscape(char byte) {
  state_ = State::kText;
  if (raw_) {  // both stay, a quote too
    AppendText('\\');
    AppendText(byte);
    return Step::kMore;
  }
  constexpr std::string_view kLetters = "abtnvfr";  // of the codes 7 to 13, in this order
  if (const size_t letter = kLetters.find(byte); letter != std::string_view::npos) {
    AppendCode(static_cast<uint32_t>(7 + letter));
    return Step::kMore;
  }
  code_ = 0;
  switch (byte) {
    case 'x':
    case 'u':
    case 'U':
      code_left_ = byte == 'x' ? 2 : (byte == 'u' ? 4 : 8);
      state_ = State::kCode;
      return Step::kMore;
    case '\n':  // a line that goes on
      return Step::kMore;
    case '\\':
    case '"':
    case '\'':
      AppendText(byte);
      return Step::kMore;
    default:
      break;
  }
  if (byte >= '0' && byte <= '7') {
    code_left_ = 3;
    state_ = State::kOctal;
    return PushOctal(byte);
  }
  AppendText('\\');  // Python keeps the backslash of an escape that it does not know
  AppendText(byte);
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushCode(char byte) {
  const int digit = HexValue(byte);
  if (digit < 0) return Step::kInvalid;
  code_ = code_ * 16 + static_cast<uint32_t>(digit);
  if (--code_left_ > 0) return Step::kMore;
  if (code_ > 0x10FFFF) return Step::kInvalid;
  AppendCode(code_);
  state_ = State::kText;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushOctal(char byte) {
  if (byte >= '0' && byte <= '7') {
    code_ = code_ * 8 + static_cast<uint32_t>(byte - '0');
    if (--code_left_ > 0) return Step::kMore;
    AppendCode(code_);
    state_ = State::kText;
    return Step::kMore;
  }
  AppendCode(code_);
  state_ = State::kText;
  return PushText(byte);
}

// More text that follows belongs to the same; only another byte ends it.
PythonLiteral::Step PythonLiteral::PushAfterText(char byte) {
  if (IsQuote(byte)) {
    raw_ = format_ = false;
    return BeginText(byte, /*joins=*/true);
  }
  if (IsWordByte(byte)) {
    word_ = byte;
    joins_ = true;
    state_ = State::kWord;
    return Step::kMore;
  }
  held_ += '"';
  if (place_ == State::kKey) {
    state_ = State::kColon;
    return PushColon(byte);
  }
  return LeaveValue(Part::kText) == Step::kEnd ? Step::kEndBefore : PushAfterValue(byte);
}

}  // namespace baton::frontend
