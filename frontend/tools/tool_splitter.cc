#include "frontend/tools/tool_splitter.h"

#include <algorithm>
#include <utility>

namespace baton::frontend {
namespace {

constexpr std::string_view kSpace = " \n\r\t";

bool IsSpace(char c) { return kSpace.find(c) != std::string_view::npos; }

size_t IndexOf(char byte) { return static_cast<unsigned char>(byte); }

std::bitset<256> SpecialBytes(const ToolFormat& format) {
  std::bitset<256> special;
  for (const std::string_view bytes : {kSpace, format.bare, format.bare_separators}) {
    for (const char byte : bytes) special.set(IndexOf(byte));
  }
  for (const auto* markers : {&format.openers, &format.sections, &format.closers}) {
    for (const std::string_view marker : *markers) special.set(IndexOf(marker.front()));
  }
  return special;
}

}  // namespace

ToolSplitter::ToolSplitter(const ToolFormat& format, const ToolSet& tools, ReplySink& sink)
    : format_(format), tools_(tools), sink_(sink), special_bytes_(SpecialBytes(format)) {}

void ToolSplitter::Push(std::string_view text) {
  while (!text.empty()) {
    const size_t plain = PlainBytes(text);
    if (plain > 0) {
      OnPlain(text.substr(0, plain));
      text.remove_prefix(plain);
    } else {
      Feed(text.front());
      text.remove_prefix(1);
    }
  }
}

size_t ToolSplitter::PlainBytes(std::string_view text) const {
  if (body_ != nullptr || opening_ || !pending_.empty()) return 0;
  size_t count = 0;
  while (count < text.size() && !special_bytes_[IndexOf(text[count])]) ++count;
  return count;
}

void ToolSplitter::OnPlain(std::string_view text) {
  text_seen_ = true;
  after_call_ = false;
  if (!space_.empty()) sink_.OnContent(std::exchange(space_, {}));
  sink_.OnContent(text);
}

void ToolSplitter::Feed(char byte) {
  if (body_ != nullptr || opening_) {
    FeedBody(byte);
  } else {
    FeedText(byte);
  }
}

bool ToolSplitter::IsBareBeginning(char byte) const {
  if (format_.bare.find(byte) == std::string_view::npos) return false;
  return format_.bare_anywhere || !text_seen_ || after_call_;
}

void ToolSplitter::FeedText(char byte) {
  if (pending_.empty() && IsBareBeginning(byte)) {
    BeginBody("");
    FeedBody(byte);
    return;
  }
  pending_ += byte;
  Resolve();
}

void ToolSplitter::Resolve() {
  const std::pair<Marker, const std::vector<std::string_view>*> kinds[] = {
      {Marker::kOpener, &format_.openers},
      {Marker::kSection, &format_.sections},
      {Marker::kCloser, &format_.closers}};
  while (!pending_.empty()) {
    bool may_become_one = false;
    for (const auto& [kind, markers] : kinds) {
      if (kind == Marker::kCloser && !any_call_) continue;
      for (const std::string_view marker : *markers) {
        if (!marker.starts_with(pending_)) continue;
        if (marker.size() == pending_.size()) return OnMarker(kind, marker);
        may_become_one = true;
      }
    }
    if (may_become_one) return;
    const char first = pending_.front();
    pending_.erase(0, 1);
    OnTextByte(first);
  }
}

void ToolSplitter::OnMarker(Marker kind, std::string_view marker) {
  pending_.clear();
  if (kind == Marker::kOpener) {
    BeginBody(marker);
  } else {
    space_.clear();
  }
}

void ToolSplitter::OnTextByte(char byte) {
  const bool separates =
      after_call_ && format_.bare_separators.find(byte) != std::string_view::npos;
  if (IsSpace(byte) || separates) {
    space_ += byte;
    return;
  }
  OnPlain({&byte, 1});
}

void ToolSplitter::BeginBody(std::string_view opener) {
  undecided_ = opener;
  opener_bytes_ = opener.empty() ? 1 : opener.size();
  opener_ = opener;
  opening_ = true;
}

void ToolSplitter::FeedBody(char byte) {
  if (opening_ && IsSpace(byte)) {
    undecided_ += byte;
    return;
  }
  if (std::exchange(opening_, false)) body_ = format_.make_body(tools_, opener_, byte);
  const bool was_in_call = body_->in_call();
  const int calls = body_->call_count();
  if (!was_in_call) undecided_ += byte;
  const CallBody::Step step = body_->Push(byte, sink_);
  if (body_->call_count() > calls || (was_in_call && !body_->in_call())) {
    undecided_.clear();
    space_.clear();
    any_call_ = true;
  }
  switch (step) {
    case CallBody::Step::kMore:
      if (undecided_.size() > kUndecidedBytesMax) OnBodyFailed();
      return;
    case CallBody::Step::kDone:
    case CallBody::Step::kDoneBefore:
      body_.reset();
      after_call_ = true;
      if (step == CallBody::Step::kDoneBefore) Feed(byte);
      return;
    case CallBody::Step::kFailed:
      if (body_->in_call()) {
        body_->CloseArguments(sink_);
        body_.reset();
        after_call_ = true;
        Feed(byte);
      } else {
        OnBodyFailed();
      }
  }
}

// What was read since the opener, or since the last call, is text; an opener may be among it.
void ToolSplitter::OnBodyFailed() {
  const bool in_text = body_ == nullptr || body_->call_count() == 0;
  body_.reset();
  opening_ = false;
  after_call_ = after_call_ || !in_text;
  const std::string text = std::exchange(undecided_, {});
  const size_t passed =
      text.size() > kReadAgainBytesMax ? text.size() : (in_text ? opener_bytes_ : 0);
  size_t i = 0;
  for (; i < std::min(passed, text.size()); ++i) OnTextByte(text[i]);
  for (; i < text.size(); ++i) Feed(text[i]);
}

void ToolSplitter::Finish(ReplyEnd end) {
  while (body_ != nullptr || opening_) {
    if (opening_) {
      OnBodyFailed();
      continue;
    }
    const bool was_in_call = body_->in_call();
    const int calls = body_->call_count();
    body_->Finish(end, sink_);
    if (was_in_call || body_->call_count() > calls) {
      if (body_->in_call() && end == ReplyEnd::kStopped) body_->CloseArguments(sink_);
      body_.reset();
      after_call_ = true;
    } else {
      OnBodyFailed();  // may open another body, with less text
    }
  }
  for (const char byte : std::exchange(pending_, {})) OnTextByte(byte);
  if (!any_call_) sink_.OnContent(std::exchange(space_, {}));
}

}  // namespace baton::frontend
