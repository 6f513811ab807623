#include "frontend/tools/harmony_splitter.h"

#include <utility>

namespace baton::frontend {
namespace {

constexpr std::string_view kMarks[] = {"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>",
                                       "<|end|>",   "<|call|>",    "<|return|>"};

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The word behind `key` in a header, up to white space or a mark.
std::string_view WordAfter(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  return header.substr(0, header.find_first_of(" <\n\t"));
}

}  // namespace

void HarmonySplitter::Push(std::string_view text) {
  for (const char byte : text) Feed(byte);
}

void HarmonySplitter::Feed(char byte) {
  pending_ += byte;
  while (!pending_.empty()) {
    bool may_become_one = false;
    for (const std::string_view mark : kMarks) {
      if (!mark.starts_with(pending_)) continue;
      may_become_one = true;
      if (mark.size() > pending_.size()) continue;
      pending_.clear();
      return OnMark(mark);
    }
    if (may_become_one) return;
    const char first = pending_.front();
    pending_.erase(0, 1);
    OnByte(first);
  }
}

void HarmonySplitter::OnMark(std::string_view mark) {
  if (mark == "<|message|>") {
    if (part_ == Part::kHeader) BeginMessage();
    return;
  }
  if (mark == "<|start|>" || mark == "<|channel|>" || mark == "<|constrain|>") {
    if (part_ != Part::kHeader) {
      EndMessage(ReplyEnd::kStopped);
      header_.clear();
      part_ = Part::kHeader;
    }
    header_ += mark;
    return;
  }
  EndMessage(ReplyEnd::kStopped);
  header_.clear();
  part_ = Part::kHeader;
}

void HarmonySplitter::BeginMessage() {
  const std::string_view channel = WordAfter(header_, "<|channel|>");
  const std::string_view recipient = WordAfter(header_, "to=");
  constexpr std::string_view kFunctions = "functions.";
  if (with_calls_ && recipient.starts_with(kFunctions) && recipient != kFunctions) {
    sink_.OnCallBegin(recipient.substr(kFunctions.size()), "");
    arguments_ = JsonReader();
    has_arguments_ = whole_ = false;
    part_ = Part::kCall;
  } else if (channel == "analysis") {
    part_ = Part::kReasoning;
  } else if (channel == "final" || recipient.empty() || recipient.starts_with(kFunctions)) {
    part_ = Part::kContent;
  } else {
    part_ = Part::kNobody;  // a tool of the model's own: nothing for the client
  }
  header_.clear();
}

void HarmonySplitter::OnByte(char byte) {
  switch (part_) {
    case Part::kHeader:
      header_ += byte;
      return;
    case Part::kReasoning:
      sink_.OnReasoning({&byte, 1});
      return;
    case Part::kContent:
      next_.Push({&byte, 1});
      return;
    case Part::kNobody:
      return;
    case Part::kCall:
      break;
  }
  OnArgumentByte(byte);
}

void HarmonySplitter::OnArgumentByte(char byte) {
  if ((whole_ || !has_arguments_) && IsSpace(byte)) return;
  const bool is_object = std::exchange(has_arguments_, true) || byte == '{';
  std::string piece;
  if (!whole_ && is_object && arguments_.Push(byte, &piece) != JsonReader::Step::kInvalid) {
    sink_.OnArguments(piece);
    whole_ = arguments_.CompleteAtEnd();
    return;
  }
  // What is no part of the arguments is text. A brace too many does not cost the call.
  if (!is_object) {
    sink_.OnArguments("{}");
  } else {
    EndArguments();
  }
  part_ = Part::kContent;
  next_.Push({&byte, 1});
}

void HarmonySplitter::EndArguments() {
  if (whole_) return sink_.OnCallEnd();
  std::string rest;
  arguments_.Close(&rest);
  sink_.OnArguments(rest);
}

void HarmonySplitter::EndMessage(ReplyEnd end) {
  if (part_ != Part::kCall) return;
  part_ = Part::kNobody;
  if (!whole_ && end == ReplyEnd::kCut) return;
  if (!has_arguments_) {
    sink_.OnArguments("{}");
    whole_ = true;
  }
  EndArguments();
}

void HarmonySplitter::Finish(ReplyEnd end) {
  for (const char byte : std::exchange(pending_, {})) OnByte(byte);
  EndMessage(end);
  const bool is_text = part_ == Part::kHeader && header_.find("<|") == std::string::npos;
  if (is_text && !header_.empty()) next_.Push(header_);
  next_.Finish(end);
}

}  // namespace baton::frontend
