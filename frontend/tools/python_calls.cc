#include "frontend/tools/python_calls.h"

#include <utility>

#include "common/json/json.h"

namespace baton::frontend {
namespace {

constexpr size_t kNameBytesMax = 256;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNameByte(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

}  // namespace

CallBody::Step PythonCalls::Push(char byte, ReplySink& sink) {
  switch (state_) {
    case State::kName:
      return PushName(byte);
    case State::kKey:
      return PushKey(byte, sink);
    case State::kValue:
      return PushValue(byte, sink);
    default:
      break;
  }
  const PythonBlanks::Byte kind = blanks_.Read(byte);
  if (kind == PythonBlanks::Byte::kInvalid) return Step::kFailed;
  if (kind == PythonBlanks::Byte::kBlank) return Step::kMore;
  switch (state_) {
    case State::kStart:
      state_ = State::kItem;
      return byte == '[' ? Step::kMore : Step::kFailed;
    case State::kItem:
      if (byte == ']' && call_count() > 0) return Step::kDone;
      if (!IsLetter(byte)) return Step::kFailed;
      word_ = byte;
      state_ = State::kName;
      return Step::kMore;
    case State::kAfterValue:
      if (byte == ')') return EndCall(sink);
      state_ = State::kKey;
      word_.clear();
      return byte == ',' ? Step::kMore : Step::kFailed;
    default:  // kAfterCall
      if (byte == ']') return Step::kDone;
      state_ = State::kItem;
      return byte == ',' ? Step::kMore : Step::kFailed;
  }
}

CallBody::Step PythonCalls::PushName(char byte) {
  if (IsNameByte(byte) && word_.size() < kNameBytesMax) {
    word_ += byte;
    return Step::kMore;
  }
  if (byte != '(') return Step::kFailed;
  if (names_ == Names::kDeclared && !tools_.Declares(word_)) return Step::kFailed;
  name_ = std::exchange(word_, {});
  has_arguments_ = false;
  state_ = State::kKey;
  return Step::kMore;
}

CallBody::Step PythonCalls::PushKey(char byte, ReplySink& sink) {
  if (word_.empty()) {
    const PythonBlanks::Byte kind = blanks_.Read(byte);
    if (kind == PythonBlanks::Byte::kInvalid) return Step::kFailed;
    if (kind == PythonBlanks::Byte::kBlank) return Step::kMore;
    if (byte == ')') return EndCall(sink);
    if (!IsLetter(byte)) return Step::kFailed;
    word_ = byte;
    return Step::kMore;
  }
  if (byte == '=') {
    while (IsSpace(word_.back())) word_.pop_back();
    key_ = (has_arguments_ ? ", " : "{") + QuoteJson(word_) + ": ";
    literal_ = PythonLiteral();
    state_ = State::kValue;
    return Step::kMore;
  }
  const bool fits = IsSpace(byte) || (IsNameByte(byte) && !IsSpace(word_.back()));
  if (!fits || word_.size() >= kNameBytesMax) return Step::kFailed;
  word_ += byte;
  return Step::kMore;
}

CallBody::Step PythonCalls::PushValue(char byte, ReplySink& sink) {
  piece_.clear();
  const PythonLiteral::Step step = literal_.Push(byte, &piece_);
  if (!piece_.empty()) {
    if (!in_call()) Begin(name_, "", sink);
    sink.OnArguments(std::exchange(key_, {}) + piece_);
    has_arguments_ = true;
  }
  if (step == PythonLiteral::Step::kInvalid) return Step::kFailed;
  if (step == PythonLiteral::Step::kMore) return Step::kMore;
  state_ = State::kAfterValue;
  return step == PythonLiteral::Step::kEnd ? Step::kMore : Push(byte, sink);
}

CallBody::Step PythonCalls::EndCall(ReplySink& sink) {
  if (!in_call()) Begin(name_, "", sink);
  sink.OnArguments(has_arguments_ ? "}" : "{}");
  End(sink);
  state_ = State::kAfterCall;
  return Step::kMore;
}

void PythonCalls::CloseArguments(ReplySink& sink) {
  piece_.clear();
  if (state_ == State::kValue && key_.empty()) literal_.Close(&piece_);
  sink.OnArguments(has_arguments_ ? piece_ + "}" : "{}");
}

void PythonCalls::Finish(ReplyEnd, ReplySink&) {}  // only a bracket can end a call

}  // namespace baton::frontend
