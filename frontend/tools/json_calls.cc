#include "frontend/tools/json_calls.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace baton::frontend {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

constexpr size_t kKeyBytesMax = 64;

// The text of a JSON string, quotes and escapes resolved.
std::string Unquote(const std::string& json) {
  const auto value = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// `text` as a JSON object, copied, or nothing if it is none.
std::string ObjectIn(std::string_view text) {
  JsonReader reader;
  std::string copy;
  bool complete = false;
  for (const char byte : text) {
    if (complete && IsSpace(byte)) continue;
    const JsonReader::Step step = reader.Push(byte, &copy);
    if (step == JsonReader::Step::kInvalid) return "";
    complete = step == JsonReader::Step::kEnd;
  }
  const size_t first = copy.find_first_not_of(" \n\r\t");
  return complete && copy[first] == '{' ? copy.substr(first) : "";
}

}  // namespace

CallBody::Step JsonCalls::Push(char byte, ReplySink& sink) {
  switch (state_) {
    case State::kKey:
      return PushKey(byte);
    case State::kInValue:
      return PushValue(byte, sink);
    default:
      if (IsSpace(byte)) return Step::kMore;
      return state_ == State::kValue ? BeginValue(byte, sink) : PushBetween(byte, sink);
  }
}

CallBody::Step JsonCalls::PushBetween(char byte, ReplySink& sink) {
  const auto to = [this](State next) {
    state_ = next;
    return Step::kMore;
  };
  switch (state_) {
    case State::kStart:
      if (byte == '[' && !std::exchange(in_list_, true)) return to(State::kItem);
      [[fallthrough]];
    case State::kItem:
      if (byte == ']' && in_list_ && call_count() > 0) return Step::kDone;
      return byte == '{' ? to(State::kFirstKey) : Step::kFailed;
    case State::kFirstKey:
    case State::kNextKey:
      if (byte == '}') return EndObject(sink);
      if (byte != '"') return Step::kFailed;
      piece_.clear();
      reader_ = JsonReader();
      state_ = State::kKey;
      return PushKey(byte);
    case State::kColon:
      return byte == ':' ? to(State::kValue) : Step::kFailed;
    case State::kAfterValue:
      if (byte == '}') return EndObject(sink);
      if (byte == ',') return to(State::kNextKey);
      return in_call() ? EndWithoutBrackets(byte, sink) : Step::kFailed;
    default:  // kAfterCall
      if (byte == ',') return to(State::kItem);
      return byte == ']' ? Step::kDone : Step::kFailed;
  }
}

CallBody::Step JsonCalls::PushKey(char byte) {
  const JsonReader::Step step = reader_.Push(byte, &piece_);
  if (step == JsonReader::Step::kInvalid || piece_.size() > kKeyBytesMax) return Step::kFailed;
  if (step == JsonReader::Step::kMore) return Step::kMore;
  const std::string key = Unquote(piece_);
  if (key == "name") {
    member_ = Member::kName;
  } else if (key == "arguments" || key == "parameters") {
    member_ = Member::kArguments;
  } else if (key == "id") {
    member_ = Member::kId;
  } else if (key == "function") {
    member_ = Member::kWrapper;
  } else if (key == "type" || names_ == Names::kAny || in_call()) {
    member_ = Member::kOther;
  } else {
    return Step::kFailed;
  }
  state_ = State::kColon;
  return Step::kMore;
}

bool JsonCalls::NameFits() const {
  return !name_.empty() && (names_ == Names::kAny || tools_.Declares(name_));
}

CallBody::Step JsonCalls::BeginValue(char byte, ReplySink& sink) {
  reader_ = JsonReader();
  piece_.clear();
  if (member_ == Member::kWrapper && byte == '{') {
    ++wrappers_;
    state_ = State::kFirstKey;
    return wrappers_ == 1 ? Step::kMore : Step::kFailed;
  }
  if (member_ == Member::kWrapper) member_ = Member::kName;
  if (member_ == Member::kName && byte != '"') return Step::kFailed;
  if (member_ == Member::kArguments) {
    if (std::exchange(has_arguments_, true)) return Step::kFailed;
    if (byte != '{' && byte != '"' && byte != 'n') return Step::kFailed;
    streaming_ = byte == '{' && NameFits();
    if (streaming_) Begin(name_, id_, sink);
  }
  state_ = State::kInValue;
  return PushValue(byte, sink);
}

CallBody::Step JsonCalls::PushValue(char byte, ReplySink& sink) {
  const JsonReader::Step step = reader_.Push(byte, &piece_);
  if (step == JsonReader::Step::kInvalid) return Step::kFailed;
  if (streaming_ && member_ == Member::kArguments) StreamArguments(sink);
  if (step == JsonReader::Step::kMore) return Step::kMore;
  const Step ended = EndValue(sink);
  if (ended != Step::kMore || step == JsonReader::Step::kEnd) return ended;
  return Push(byte, sink);  // it came after the value
}

void JsonCalls::StreamArguments(ReplySink& sink) {
  sink.OnArguments(piece_);
  piece_.clear();
}

CallBody::Step JsonCalls::EndValue(ReplySink& sink) {
  state_ = State::kAfterValue;
  switch (member_) {
    case Member::kName:
      name_ = Unquote(piece_);
      if (!NameFits()) return Step::kFailed;
      if (!has_arguments_ || arguments_.empty()) return Step::kMore;
      Begin(name_, id_, sink);
      sink.OnArguments(arguments_);
      streaming_ = true;
      return Step::kMore;
    case Member::kArguments:
      if (streaming_) return Step::kMore;
      arguments_ = piece_ == "null" ? "{}" : std::exchange(piece_, {});
      if (arguments_.front() == '"') {
        const std::string text = Unquote(arguments_);
        arguments_ = text.empty() ? "{}" : ObjectIn(text);
        if (arguments_.empty()) return Step::kFailed;
      }
      if (!NameFits()) return Step::kMore;
      Begin(name_, id_, sink);
      sink.OnArguments(arguments_);
      streaming_ = true;
      return Step::kMore;
    case Member::kId:
      if (piece_.size() > 2 && piece_.front() == '"' && !in_call()) id_ = Unquote(piece_);
      return Step::kMore;
    default:
      return Step::kMore;
  }
}

// The arguments are whole, and the model forgot what closes the call around them.
CallBody::Step JsonCalls::EndWithoutBrackets(char byte, ReplySink& sink) {
  End(sink);
  return in_list_ && byte == ']' ? Step::kDone : Step::kDoneBefore;
}

CallBody::Step JsonCalls::EndObject(ReplySink& sink) {
  state_ = State::kAfterValue;
  if (wrappers_ > 0) {
    --wrappers_;
    return Step::kMore;
  }
  if (!NameFits()) return Step::kFailed;
  if (!in_call()) {
    Begin(name_, id_, sink);
    sink.OnArguments("{}");
  }
  End(sink);
  name_.clear();
  id_.clear();
  arguments_.clear();
  has_arguments_ = false;
  streaming_ = false;
  state_ = State::kAfterCall;
  return in_list_ ? Step::kMore : Step::kDone;
}

void JsonCalls::CloseArguments(ReplySink& sink) {
  if (state_ != State::kInValue || member_ != Member::kArguments) return;
  piece_.clear();
  reader_.Close(&piece_);
  sink.OnArguments(piece_);
}

void JsonCalls::Finish(ReplyEnd end, ReplySink& sink) {
  // The arguments are whole; only brackets around them are missing.
  const bool whole =
      in_call() && streaming_ && (state_ == State::kAfterValue || state_ == State::kNextKey);
  if (whole && end == ReplyEnd::kStopped) End(sink);
}

}  // namespace baton::frontend
