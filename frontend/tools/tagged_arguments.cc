#include "frontend/tools/tagged_arguments.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

constexpr size_t kNameBytesMax = 320;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// How many bytes at the end of `text` may be the beginning of `tag`.
size_t OverlapWith(std::string_view text, std::string_view tag) {
  for (size_t length = std::min(text.size(), tag.size()); length > 0; --length) {
    if (text.ends_with(tag.substr(0, length))) return length;
  }
  return 0;
}

// `text` as it stands inside a JSON string. It may end in the middle of a character.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      escaped += absl::StrFormat("\\u%04x", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

TaggedArguments::TaggedArguments(const TaggedNotation& notation, const ToolSet& tools, bool named)
    : notation_(notation),
      tools_(tools),
      state_(named || notation.before_name.empty() ? State::kName : State::kBeforeName) {}

std::string_view TaggedArguments::TagAtEnd(std::span<const std::string_view> tags) const {
  for (const std::string_view tag : tags) {
    if (std::string_view(held_).ends_with(tag)) return tag;
  }
  return {};
}

CallBody::Step TaggedArguments::Push(char byte, ReplySink& sink) {
  switch (state_) {
    case State::kBeforeName:
      return PushBeforeName(byte);
    case State::kName:
      return PushName(byte, sink);
    case State::kBetween:
      return PushBetween(byte, sink);
    case State::kKey:
      return PushKey(byte, sink);
    case State::kBeforeValue:
      held_ += byte;
      if (std::string_view(held_).ends_with(notation_.before_value)) BeginValue(sink);
      return Step::kMore;
    default:
      return PushValue(byte, sink);
  }
}

CallBody::Step TaggedArguments::PushBeforeName(char byte) {
  if (held_.empty() && IsSpace(byte)) return Step::kMore;
  held_ += byte;
  if (!notation_.before_name.starts_with(held_)) return Step::kFailed;
  if (held_ != notation_.before_name) return Step::kMore;
  held_.clear();
  state_ = State::kName;
  return Step::kMore;
}

CallBody::Step TaggedArguments::PushName(char byte, ReplySink& sink) {
  if (held_.empty() && IsSpace(byte)) return Step::kMore;
  held_ += byte;
  if (held_.size() > kNameBytesMax || byte == '{' || byte == '"') return Step::kFailed;
  const std::string_view separator = TagAtEnd(notation_.after_name);
  const std::string_view key_tag = TagAtEnd({&notation_.before_key, 1});
  const std::string_view end_tag = TagAtEnd(notation_.ends);
  const size_t ended = std::max({separator.size(), key_tag.size(), end_tag.size()});
  if (ended == 0) return Step::kMore;
  held_.resize(held_.size() - ended);
  name_ = ToStd(absl::StripAsciiWhitespace(held_));
  if (name_.empty() || name_.find_first_of(" <\n\t") != std::string::npos) {
    held_ += std::string(ended, ' ');
    return Step::kFailed;
  }
  held_.clear();
  Begin(name_, "", sink);
  state_ = key_tag.empty() ? State::kBetween : State::kKey;
  return end_tag.empty() ? Step::kMore : EndCall(sink);
}

CallBody::Step TaggedArguments::PushBetween(char byte, ReplySink& sink) {
  held_ += byte;
  if (!TagAtEnd(notation_.ends).empty()) return EndCall(sink);
  if (!TagAtEnd({&notation_.before_key, 1}).empty()) {
    held_.clear();
    state_ = State::kKey;
  }
  return Step::kMore;
}

CallBody::Step TaggedArguments::PushKey(char byte, ReplySink& sink) {
  held_ += byte;
  if (!std::string_view(held_).ends_with(notation_.after_key)) return Step::kMore;
  held_.resize(held_.size() - notation_.after_key.size());
  key_ = ToStd(absl::StripAsciiWhitespace(held_));
  held_.clear();
  if (notation_.before_value.empty()) {
    BeginValue(sink);
  } else {
    state_ = State::kBeforeValue;
  }
  return Step::kMore;
}

void TaggedArguments::BeginValue(ReplySink& sink) {
  held_.clear();
  state_ = State::kValue;
  at_value_start_ = true;
  value_.clear();
  streams_ = tools_.TakesText(name_, key_);
  sink.OnArguments(has_arguments_ ? ", " : "{");
  has_arguments_ = true;
  sink.OnArguments(QuoteJson(key_));
  sink.OnArguments(streams_ ? ": \"" : ": ");
}

CallBody::Step TaggedArguments::PushValue(char byte, ReplySink& sink) {
  held_ += byte;
  if (std::string_view(held_).ends_with(notation_.after_value)) {
    held_.resize(held_.size() - notation_.after_value.size());
    EndValue(sink);
    return Step::kMore;
  }
  // A value whose own end is missing ends where the next argument or the call's end stands.
  if (!TagAtEnd({&notation_.before_key, 1}).empty()) {
    held_.resize(held_.size() - notation_.before_key.size());
    EndValue(sink);
    state_ = State::kKey;
    return Step::kMore;
  }
  if (const std::string_view end = TagAtEnd(notation_.ends_in_value); !end.empty()) {
    held_.resize(held_.size() - end.size());
    EndValue(sink);
    return EndCall(sink);
  }
  StreamValue(sink);
  return Step::kMore;
}

// Passes on what cannot be part of a tag, nor the newline in front of one, any more.
void TaggedArguments::StreamValue(ReplySink& sink) {
  if (std::exchange(at_value_start_, false) && notation_.trims_newlines && held_ == "\n") {
    held_.clear();
    return;
  }
  size_t keep =
      std::max(OverlapWith(held_, notation_.after_value), OverlapWith(held_, notation_.before_key));
  for (const std::string_view end : notation_.ends_in_value) {
    keep = std::max(keep, OverlapWith(held_, end));
  }
  size_t sure = held_.size() - keep;
  if (notation_.trims_newlines && sure > 0 && held_[sure - 1] == '\n') --sure;
  if (sure == 0) return;
  if (streams_) {
    sink.OnArguments(Escaped(std::string_view(held_).substr(0, sure)));
  } else {
    value_.append(held_, 0, sure);
  }
  held_.erase(0, sure);
}

void TaggedArguments::EndValue(ReplySink& sink) {
  if (notation_.trims_newlines && held_.ends_with('\n')) held_.pop_back();
  if (streams_) {
    sink.OnArguments(Escaped(held_) + "\"");
  } else {
    sink.OnArguments(tools_.ValueJson(name_, key_, value_ + held_));
  }
  held_.clear();
  state_ = State::kBetween;
}

CallBody::Step TaggedArguments::EndCall(ReplySink& sink) {
  sink.OnArguments(has_arguments_ ? "}" : "{}");
  End(sink);
  return Step::kDone;
}

void TaggedArguments::CloseArguments(ReplySink& sink) {
  if (state_ == State::kValue) EndValue(sink);
  sink.OnArguments(has_arguments_ ? "}" : "{}");
}

void TaggedArguments::Finish(ReplyEnd end, ReplySink& sink) {
  if (!in_call()) return;
  if (state_ == State::kBetween && end == ReplyEnd::kStopped) {
    EndCall(sink);
  } else if (state_ == State::kValue && streams_ && end == ReplyEnd::kCut) {
    sink.OnArguments(Escaped(held_));
  }
}

}  // namespace baton::frontend
