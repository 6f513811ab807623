#include "frontend/tools/json_reader.h"

#include <string_view>

#include "absl/strings/str_format.h"

namespace baton::frontend {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

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

bool JsonReader::BeginValue(char byte) {
  in_key_ = false;
  if (byte == '{' || byte == '[') {
    if (open_.size() >= kDepthMax) return false;
    open_ += byte;
    state_ = byte == '{' ? State::kFirstKey : State::kFirstItem;
    return true;
  }
  if (byte == '"') {
    state_ = State::kString;
    return true;
  }
  if (byte == '-' || IsDigit(byte)) {
    state_ = State::kNumber;
    number_ = byte == '-' ? Number::kMinus : (byte == '0' ? Number::kZero : Number::kInteger);
    return true;
  }
  for (const char* word : {"true", "false", "null"}) {
    if (byte != word[0]) continue;
    state_ = State::kWord;
    word_rest_ = word + 1;
    return true;
  }
  return false;
}

JsonReader::Step JsonReader::PushStructure(char byte, std::string* copy) {
  if (IsSpace(byte)) {
    *copy += byte;
    return Step::kMore;
  }
  bool fits = false;
  const bool closes =
      !open_.empty() && byte == (open_.back() == '{' ? '}' : ']') &&
      (state_ == State::kFirstItem || state_ == State::kFirstKey || state_ == State::kAfterValue);
  if (closes) {
    *copy += byte;
    open_.pop_back();
    return LeaveValue() ? Step::kMore : Step::kEnd;
  }
  switch (state_) {
    case State::kValue:
    case State::kFirstItem:
      fits = BeginValue(byte);
      break;
    case State::kFirstKey:
    case State::kKey:
      fits = byte == '"';
      in_key_ = true;
      state_ = State::kString;
      break;
    case State::kColon:
      fits = byte == ':';
      state_ = State::kValue;
      break;
    default:
      fits = byte == ',';
      state_ = open_.back() == '{' ? State::kKey : State::kValue;
  }
  if (!fits) return Step::kInvalid;
  *copy += byte;
  return Step::kMore;
}

JsonReader::Step JsonReader::PushString(char byte, std::string* copy) {
  if (state_ == State::kHex) {
    if (!IsHex(byte)) return Step::kInvalid;
    if (--hex_left_ == 0) state_ = State::kString;
  } else if (state_ == State::kEscape) {
    if (std::string_view("\"\\/bfnrtu").find(byte) == std::string_view::npos) {
      return Step::kInvalid;
    }
    hex_left_ = 4;
    state_ = byte == 'u' ? State::kHex : State::kString;
  } else if (byte == '\\') {
    state_ = State::kEscape;
  } else if (byte == '"') {
    *copy += byte;
    if (in_key_) {
      state_ = State::kColon;
      return Step::kMore;
    }
    return LeaveValue() ? Step::kMore : Step::kEnd;
  } else if (static_cast<unsigned char>(byte) < 0x20) {
    AppendControl(byte, copy);
    return Step::kMore;
  }
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
  if (state_ == State::kWord && *word_rest_ != '\0') {
    if (byte != *word_rest_) return Step::kInvalid;
    ++word_rest_;
    *copy += byte;
    return Step::kMore;
  }
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
  return (state_ == State::kNumber && NumberIsWhole()) ||
         (state_ == State::kWord && *word_rest_ == '\0');
}

}  // namespace baton::frontend
