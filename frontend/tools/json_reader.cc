#include "frontend/tools/json_reader.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"

namespace baton::frontend {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct Word {
  std::string_view written;
  std::string_view json;
};
// None is the beginning of another.
constexpr Word kWords[] = {{"true", "true"},      {"false", "false"}, {"null", "null"},
                           {"True", "true"},      {"False", "false"}, {"None", "null"},
                           {"undefined", "null"}, {"NaN", "null"},    {"Infinity", "null"}};

bool IsWord(std::string_view text) {
  for (const Word& word : kWords) {
    if (word.written == text) return true;
  }
  return false;
}

void AppendControl(char byte, std::string* copy) {
  switch (byte) {
    case '\n':
      *copy += "\\n";
      return;
    case '\t':
      *copy += "\\t";
      return;
    case '\r':
      *copy += "\\r";
      return;
    default:
      *copy += absl::StrFormat("\\u%04x", static_cast<unsigned>(byte));
  }
}

}  // namespace

JsonReader::Step JsonReader::Push(char byte, std::string* copy) {
  switch (state_) {
    case State::kString:
    case State::kEscape:
    case State::kHex:
      return PushString(byte, copy);
    case State::kWord:
    case State::kNumber:
      return PushScalar(byte, copy);
    case State::kDone:
      return Step::kInvalid;
    default:
      return PushStructure(byte, copy);
  }
}

bool JsonReader::LeaveValue() {
  state_ = open_.empty() ? State::kDone : State::kAfterValue;
  return !open_.empty();
}

bool JsonReader::BeginValue(char byte, std::string* copy) {
  in_key_ = false;
  if (byte == '"' || byte == '\'') {
    quote_ = byte;
    state_ = State::kString;
    *copy += '"';
    return true;
  }
  if (byte == '-' || IsDigit(byte)) {
    state_ = State::kNumber;
    number_ = byte == '-' ? Number::kMinus : (byte == '0' ? Number::kZero : Number::kInteger);
    *copy += byte;
    return true;
  }
  if (byte == '{' || byte == '[') {
    if (open_.size() >= kDepthMax) return false;
    open_ += byte;
    state_ = byte == '{' ? State::kFirstKey : State::kFirstItem;
    *copy += byte;
    return true;
  }
  word_.clear();
  state_ = State::kWord;
  return PushWord(byte, copy) == Step::kMore;
}

JsonReader::Step JsonReader::PushWord(char byte, std::string* copy) {
  word_ += byte;
  bool may_become_one = false;
  for (const Word& word : kWords) {
    if (word_ == word.written) {
      *copy += word.json;
      return Step::kMore;
    }
    may_become_one = may_become_one || word.written.starts_with(word_);
  }
  return may_become_one ? Step::kMore : Step::kInvalid;
}

JsonReader::Step JsonReader::PushStructure(char byte, std::string* copy) {
  if (IsSpace(byte)) {
    (comma_.empty() ? *copy : comma_) += byte;
    return Step::kMore;
  }
  const bool closes = !open_.empty() && byte == (open_.back() == '{' ? '}' : ']') &&
                      (state_ == State::kFirstItem || state_ == State::kFirstKey ||
                       state_ == State::kAfterValue || !comma_.empty());
  if (closes) {
    comma_.clear();  // it was one too many
    *copy += byte;
    open_.pop_back();
    return LeaveValue() ? Step::kMore : Step::kEnd;
  }
  if (state_ == State::kAfterValue) {
    if (byte != ',') return Step::kInvalid;
    comma_ = byte;
    state_ = open_.back() == '{' ? State::kKey : State::kValue;
    return Step::kMore;
  }
  if (state_ == State::kColon) {
    if (byte != ':') return Step::kInvalid;
    *copy += byte;
    state_ = State::kValue;
    return Step::kMore;
  }
  std::string item;
  const State expected = state_;
  const bool is_key = expected == State::kFirstKey || expected == State::kKey;
  if (is_key && byte != '"' && byte != '\'') return Step::kInvalid;
  if (!BeginValue(byte, &item)) {
    state_ = expected;  // nothing was copied: Close still has to know what is missing
    return Step::kInvalid;
  }
  in_key_ = is_key;
  *copy += std::exchange(comma_, {}) + item;
  return Step::kMore;
}

JsonReader::Step JsonReader::PushCode(char byte, std::string* copy) {
  if (!IsHex(byte)) {  // no escape after all
    *copy += "\\\\u" + code_;
    state_ = State::kString;
    return PushString(byte, copy);
  }
  code_ += byte;
  if (code_.size() < 4) return Step::kMore;
  *copy += "\\u" + code_;
  state_ = State::kString;
  return Step::kMore;
}

JsonReader::Step JsonReader::PushEscaped(char byte, std::string* copy) {
  if (byte == 'u') {
    code_.clear();
    state_ = State::kHex;
    return Step::kMore;
  }
  state_ = State::kString;
  if (byte == '\'') {
    *copy += byte;
    return Step::kMore;
  }
  const bool known = std::string_view("\"\\/bfnrt").find(byte) != std::string_view::npos;
  *copy += known ? "\\" : "\\\\";
  if (!known) return PushString(byte, copy);
  *copy += byte;
  return Step::kMore;
}

JsonReader::Step JsonReader::PushString(char byte, std::string* copy) {
  if (state_ == State::kHex) return PushCode(byte, copy);
  if (state_ == State::kEscape) return PushEscaped(byte, copy);
  if (byte == '\\') {
    state_ = State::kEscape;
    return Step::kMore;
  }
  if (byte == quote_) {
    *copy += '"';
    if (in_key_) {
      state_ = State::kColon;
      return Step::kMore;
    }
    return LeaveValue() ? Step::kMore : Step::kEnd;
  }
  if (static_cast<unsigned char>(byte) < 0x20) {
    AppendControl(byte, copy);
    return Step::kMore;
  }
  if (byte == '"') *copy += '\\';
  *copy += byte;
  return Step::kMore;
}

bool JsonReader::AdvanceNumber(char byte) {
  const auto to = [this](Number next) {
    number_ = next;
    return true;
  };
  switch (number_) {
    case Number::kMinus:
      return IsDigit(byte) && to(byte == '0' ? Number::kZero : Number::kInteger);
    case Number::kInteger:
      if (IsDigit(byte)) return true;
      [[fallthrough]];
    case Number::kZero:
      if (byte == '.') return to(Number::kPoint);
      return (byte == 'e' || byte == 'E') && to(Number::kExponent);
    case Number::kPoint:
      return IsDigit(byte) && to(Number::kFraction);
    case Number::kFraction:
      if (IsDigit(byte)) return true;
      return (byte == 'e' || byte == 'E') && to(Number::kExponent);
    case Number::kExponent:
      if (byte == '+' || byte == '-') return to(Number::kSign);
      [[fallthrough]];
    case Number::kSign:
    case Number::kPower:
      return IsDigit(byte) && to(Number::kPower);
  }
  return false;
}

bool JsonReader::NumberIsWhole() const {
  return number_ == Number::kZero || number_ == Number::kInteger || number_ == Number::kFraction ||
         number_ == Number::kPower;
}

JsonReader::Step JsonReader::PushScalar(char byte, std::string* copy) {
  if (state_ == State::kWord && !IsWord(word_)) return PushWord(byte, copy);
  if (state_ == State::kNumber) {
    if (AdvanceNumber(byte)) {
      *copy += byte;
      return Step::kMore;
    }
    if (!NumberIsWhole()) return Step::kInvalid;
  }
  return LeaveValue() ? PushStructure(byte, copy) : Step::kEndBefore;
}

bool JsonReader::CompleteAtEnd() const {
  if (state_ == State::kDone) return true;
  if (!open_.empty()) return false;
  return (state_ == State::kNumber && NumberIsWhole()) || (state_ == State::kWord && IsWord(word_));
}

void JsonReader::Close(std::string* copy) {
  const bool in_string =
      state_ == State::kString || state_ == State::kEscape || state_ == State::kHex;
  if (in_string) *copy += '"';
  if (state_ == State::kColon || (in_string && in_key_)) *copy += ": null";
  if (state_ == State::kWord && !IsWord(word_)) *copy += "null";
  if (state_ == State::kValue && comma_.empty()) *copy += "null";
  if (state_ == State::kNumber && !NumberIsWhole()) *copy += '0';
  for (; !open_.empty(); open_.pop_back()) *copy += open_.back() == '{' ? '}' : ']';
  state_ = State::kDone;
}

}  // namespace baton::frontend
