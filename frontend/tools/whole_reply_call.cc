#include "frontend/tools/whole_reply_call.h"

#include <utility>

namespace baton::frontend {
namespace {

constexpr std::string_view kFence = "```";
constexpr size_t kFenceBytesMax = 24;  // with the name of a language: "```json"
constexpr size_t kTagBytesMax = 32;

bool IsLanguageByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// "<tools>" → "</tools>"
std::string ClosingTag(std::string_view tag) { return "</" + std::string(tag.substr(1)); }

}  // namespace

// The call, for the end of the reply.
struct WholeReplyCall::Recorder : ReplySink {
  void OnReasoning(std::string_view) override {}
  void OnContent(std::string_view) override {}
  void OnCallBegin(std::string_view call_name, std::string_view call_id) override {
    name = call_name;
    id = call_id;
  }
  void OnArguments(std::string_view json) override { arguments += json; }
  void OnCallEnd() override { ended = true; }

  std::string name;
  std::string id;
  std::string arguments;
  bool ended = false;
};

WholeReplyCall::WholeReplyCall(const ToolFormat& format, const ToolSet& tools, ReplySink& sink,
                               ReplySplitter& next)
    : format_(format),
      tools_(tools),
      sink_(sink),
      next_(next),
      object_(std::make_unique<JsonCalls>(tools, Names::kDeclared)),
      recorder_(std::make_unique<Recorder>()) {}

WholeReplyCall::~WholeReplyCall() = default;

void WholeReplyCall::Push(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (state_ == State::kPassing) return next_.Push(text.substr(i));
    held_ += text[i];
    state_ = held_.size() > kHeldBytesMax ? State::kPassing : Feed(text[i]);
    if (state_ == State::kPassing) Pass();
  }
}

void WholeReplyCall::Pass() {
  state_ = State::kPassing;
  next_.Push(std::exchange(held_, {}));
}

WholeReplyCall::State WholeReplyCall::Feed(char byte) {
  switch (state_) {
    case State::kBefore:
      return Before(byte);
    case State::kTag:
      tag_ += byte;
      for (const std::string_view opener : format_.openers) {
        if (opener.starts_with(tag_)) return tag_ == opener ? State::kPassing : State::kTag;
      }
      if (byte == '>') return State::kBefore;
      return tag_.size() > kTagBytesMax || IsSpace(byte) || byte == '<' || byte == '/'
                 ? State::kPassing
                 : State::kTag;
    case State::kFence: {
      tail_ += byte;
      const bool is_language = tail_.starts_with(kFence) && IsLanguageByte(byte);
      if (kFence.starts_with(tail_) || (is_language && tail_.size() <= kFenceBytesMax)) {
        return State::kFence;
      }
      const bool whole = tail_.size() > kFence.size() && tail_.starts_with(kFence);
      tail_.clear();
      if (!whole || (byte != '{' && !IsSpace(byte))) return State::kPassing;
      fenced_ = true;
      return byte == '{' ? Inside(byte) : State::kBefore;
    }
    case State::kObject:
      return Inside(byte);
    default:
      return After(byte);
  }
}

WholeReplyCall::State WholeReplyCall::Before(char byte) {
  if (IsSpace(byte)) return State::kBefore;
  if (byte == '{') {
    // The notation's own way to write calls, unless something stands around this one.
    const bool own = format_.bare.find(byte) != std::string_view::npos;
    return own && !fenced_ && tag_.empty() ? State::kPassing : Inside(byte);
  }
  if (byte == '<' && tag_.empty() && !fenced_) {
    tag_ = "<";
    return State::kTag;
  }
  if (byte != '`' || fenced_) return State::kPassing;
  tail_ = "`";
  return State::kFence;
}

WholeReplyCall::State WholeReplyCall::Inside(char byte) {
  switch (object_->Push(byte, *recorder_)) {
    case CallBody::Step::kMore:
      return State::kObject;
    case CallBody::Step::kDone:
      return State::kAfter;
    default:
      return State::kPassing;
  }
}

WholeReplyCall::State WholeReplyCall::After(char byte) {
  if (IsSpace(byte)) return State::kAfter;
  tail_ += byte;
  std::string expected = fenced_ ? std::string(kFence) : "";
  if (!tag_.empty()) expected += ClosingTag(tag_);
  return expected.starts_with(tail_) ? State::kAfter : State::kPassing;
}

void WholeReplyCall::Finish(ReplyEnd end) {
  const Recorder& call = *recorder_;
  const bool is_whole = state_ == State::kAfter && call.ended && end == ReplyEnd::kStopped;
  const bool is_call = is_whole && (tools_.Find(call.name)->takes_nothing ||
                                    tools_.Accepts(call.name, call.arguments));
  if (is_call) {
    state_ = State::kPassing;
    sink_.OnCallBegin(call.name, call.id);
    sink_.OnArguments(call.arguments);
    sink_.OnCallEnd();
  } else if (state_ != State::kPassing) {
    Pass();
  }
  next_.Finish(end);
}

}  // namespace baton::frontend
