#include "frontend/tools/named_json.h"

#include "absl/strings/ascii.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

constexpr size_t kNameBytesMax = 320;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool LooksLikeName(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '{' || c == '}' || c == '<') {
      return false;
    }
  }
  return true;
}

}  // namespace

CallBody::Step NamedJson::Push(char byte, ReplySink& sink) {
  switch (state_) {
    case State::kName:
      return PushName(byte, sink);
    case State::kBeforeArguments:
      return PushBefore(byte, sink);
    default:
      return PushArguments(byte, sink);
  }
}

CallBody::Step NamedJson::PushName(char byte, ReplySink& sink) {
  if (text_.empty() && IsSpace(byte)) return Step::kMore;
  text_ += byte;
  if (!notation_.before_name.empty() && text_ == notation_.before_name) {
    text_.clear();
    return Step::kMore;
  }
  for (const std::string_view separator : notation_.after_name) {
    const std::string_view text = text_;
    if (text.size() > separator.size() && text.ends_with(separator)) {
      return EndName(separator, sink);
    }
  }
  return text_.size() > kNameBytesMax ? Step::kFailed : Step::kMore;
}

CallBody::Step NamedJson::EndName(std::string_view separator, ReplySink& sink) {
  text_.resize(text_.size() - separator.size());
  std::string name(ToStd(absl::StripAsciiWhitespace(text_)));
  std::string id;
  if (notation_.split_name != nullptr) notation_.split_name(name, id);
  if (!LooksLikeName(name)) return Step::kFailed;
  text_.clear();
  state_ = State::kBeforeArguments;
  Begin(name, id, sink);
  return separator == "{" ? PushBefore('{', sink) : Step::kMore;
}

CallBody::Step NamedJson::PushBefore(char byte, ReplySink& sink) {
  if (byte == '{') {
    state_ = State::kArguments;
    return PushArguments(byte, sink);
  }
  if (IsSpace(byte)) return Step::kMore;
  // A mark instead of arguments: the call has none.
  const bool at_mark = byte == '<' || byte == '[' || byte == '`';
  const bool goes_on = notation_.before_arguments.starts_with(text_ + byte);
  if (at_mark && !goes_on && (text_.empty() || text_ == notation_.before_arguments)) {
    sink.OnArguments("{}");
    End(sink);
    return Step::kDoneBefore;
  }
  text_ += byte;
  return notation_.before_arguments.starts_with(text_) ? Step::kMore : Step::kFailed;
}

CallBody::Step NamedJson::PushArguments(char byte, ReplySink& sink) {
  piece_.clear();
  const JsonReader::Step step = reader_.Push(byte, &piece_);
  if (step == JsonReader::Step::kInvalid) return Step::kFailed;
  sink.OnArguments(piece_);
  if (step == JsonReader::Step::kMore) return Step::kMore;
  End(sink);
  return Step::kDone;
}

void NamedJson::CloseArguments(ReplySink& sink) {
  piece_ = state_ == State::kArguments ? "" : "{}";
  if (state_ == State::kArguments) reader_.Close(&piece_);
  sink.OnArguments(piece_);
}

void NamedJson::Finish(ReplyEnd end, ReplySink& sink) {
  if (state_ != State::kBeforeArguments || !text_.empty() || end == ReplyEnd::kCut) return;
  sink.OnArguments("{}");
  End(sink);
}

}  // namespace baton::frontend
