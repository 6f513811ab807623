#include "frontend/tools/python_literal.h"

#include <string_view>

#include "absl/strings/str_format.h"

namespace baton::frontend {
namespace {

constexpr size_t kWordBytesMax = 400;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsWordByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
         c == '-' || c == '.' || c == '_';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void AppendStringByte(char byte, std::string* json) {
  if (byte == '"' || byte == '\\') *json += '\\';
  if (byte == '\n') {
    *json += "\\n";
  } else if (static_cast<unsigned char>(byte) < 0x20) {
    *json += absl::StrFormat("\\u%04x", static_cast<unsigned>(byte));
  } else {
    *json += byte;
  }
}

// A complete number or word as JSON, or nothing.
std::string WordJson(std::string word) {
  if (word == "True" || word == "true") return "true";
  if (word == "False" || word == "false") return "false";
  if (word == "None" || word == "null") return "null";
  std::erase(word, '_');
  std::string_view digits = word;
  std::string json;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.starts_with('-')) {
    json = "-";
    digits.remove_prefix(1);
  }
  if (digits.starts_with('.')) json += '0';
  json += digits;
  if (json.ends_with('.')) json += '0';
  const size_t bare_point = json.find(".e");
  if (bare_point != std::string::npos) json.insert(bare_point + 1, "0");
  JsonReader reader;
  std::string copy;
  for (const char byte : json) {
    if (reader.Push(byte, &copy) != JsonReader::Step::kMore) return "";
  }
  return reader.CompleteAtEnd() ? json : "";
}

}  // namespace

PythonLiteral::Step PythonLiteral::Push(char byte, std::string* json) {
  switch (state_) {
    case State::kString:
      return PushString(byte, json);
    case State::kEscape:
      return PushEscape(byte, json);
    case State::kCode:
      return PushCode(byte, json);
    case State::kWord:
      return PushWord(byte, json);
    default:
      return IsSpace(byte) ? Step::kMore : PushStructure(byte, json);
  }
}

PythonLiteral::Step PythonLiteral::LeaveValue() {
  is_empty_ = false;
  state_ = State::kAfterValue;
  return open_.empty() ? Step::kEnd : Step::kMore;
}

PythonLiteral::Step PythonLiteral::CloseContainer(std::string* json) {
  *json += open_.back() == '{' ? '}' : ']';
  open_.pop_back();
  return LeaveValue();
}

void PythonLiteral::Close(std::string* json) {
  const bool in_string =
      state_ == State::kString || state_ == State::kEscape || state_ == State::kCode;
  if (in_string) *json += '"';
  if (state_ == State::kColon || (in_string && in_key_)) *json += ": null";
  const bool in_list = !open_.empty() && open_.back() != '{';
  if (state_ == State::kWord || (state_ == State::kValue && !in_list)) *json += "null";
  for (; !open_.empty(); open_.pop_back()) *json += open_.back() == '{' ? '}' : ']';
  state_ = State::kAfterValue;
}

PythonLiteral::Step PythonLiteral::PushStructure(char byte, std::string* json) {
  const char around = open_.empty() ? '\0' : open_.back();
  const char closing = around == '{' ? '}' : (around == '[' ? ']' : ')');
  if (around != '\0' && byte == closing && state_ != State::kColon &&
      !(state_ == State::kValue && around == '{')) {
    return CloseContainer(json);
  }
  switch (state_) {
    case State::kAfterValue:
      if (byte != ',') return Step::kInvalid;
      state_ = around == '{' ? State::kKey : State::kValue;
      return Step::kMore;
    case State::kColon:
      if (byte != ':') return Step::kInvalid;
      *json += ": ";
      state_ = State::kValue;
      return Step::kMore;
    case State::kKey:
      if (byte != '"' && byte != '\'') return Step::kInvalid;
      if (!is_empty_) *json += ", ";
      in_key_ = true;
      quote_ = byte;
      state_ = State::kString;
      *json += '"';
      return Step::kMore;
    default: {
      const bool follows = around != '\0' && around != '{' && !is_empty_;
      std::string item = follows ? ", " : "";
      const Step step = BeginValue(byte, &item);
      if (step != Step::kInvalid) *json += item;
      return step;
    }
  }
}

PythonLiteral::Step PythonLiteral::BeginValue(char byte, std::string* json) {
  in_key_ = false;
  if (byte == '"' || byte == '\'') {
    quote_ = byte;
    state_ = State::kString;
    *json += '"';
    return Step::kMore;
  }
  if (byte == '[' || byte == '(' || byte == '{') {
    if (open_.size() >= JsonReader::kDepthMax) return Step::kInvalid;
    open_ += byte;
    is_empty_ = true;
    state_ = byte == '{' ? State::kKey : State::kValue;
    *json += byte == '{' ? '{' : '[';
    return Step::kMore;
  }
  if (!IsWordByte(byte)) return Step::kInvalid;
  word_ = byte;
  state_ = State::kWord;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushString(char byte, std::string* json) {
  if (byte == '\\') {
    state_ = State::kEscape;
    return Step::kMore;
  }
  if (byte != quote_) {
    AppendStringByte(byte, json);
    return Step::kMore;
  }
  *json += '"';
  if (!in_key_) return LeaveValue();
  state_ = State::kColon;
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushEscape(char byte, std::string* json) {
  state_ = State::kString;
  code_ = 0;
  switch (byte) {
    case 'n':
    case 't':
    case 'r':
    case 'b':
    case 'f':
      *json += '\\';
      *json += byte;
      return Step::kMore;
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
      AppendStringByte(byte, json);
      return Step::kMore;
    default:  // Python keeps the backslash of an escape that it does not know
      *json += "\\\\";
      AppendStringByte(byte, json);
      return Step::kMore;
  }
}

PythonLiteral::Step PythonLiteral::PushCode(char byte, std::string* json) {
  const int digit = HexValue(byte);
  if (digit < 0) return Step::kInvalid;
  code_ = code_ * 16 + static_cast<uint32_t>(digit);
  if (--code_left_ > 0) return Step::kMore;
  state_ = State::kString;
  if (code_ > 0x10FFFF) return Step::kInvalid;
  if (code_ >= 0x10000) {
    *json += absl::StrFormat("\\u%04x\\u%04x", 0xD7C0 + (code_ >> 10U), 0xDC00 + (code_ & 0x3FFU));
  } else {
    *json += absl::StrFormat("\\u%04x", code_);
  }
  return Step::kMore;
}

PythonLiteral::Step PythonLiteral::PushWord(char byte, std::string* json) {
  if (IsWordByte(byte) && word_.size() < kWordBytesMax) {
    word_ += byte;
    return Step::kMore;
  }
  const std::string word = WordJson(word_);
  if (word.empty()) return Step::kInvalid;
  *json += word;
  if (LeaveValue() == Step::kEnd) return Step::kEndBefore;
  return IsSpace(byte) ? Step::kMore : PushStructure(byte, json);
}

}  // namespace baton::frontend
