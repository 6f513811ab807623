#include "frontend/tools/reasoning_splitter.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace baton::frontend {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

using Marks = std::vector<std::string_view>;

// How `text` stands to the marks: one of them, the beginning of one, or neither.
enum class Match { kNone, kBeginning, kWhole };

Match MatchOf(std::string_view text, const Marks& marks) {
  Match match = Match::kNone;
  for (const std::string_view mark : marks) {
    if (!mark.starts_with(text)) continue;
    if (mark.size() == text.size()) return Match::kWhole;
    match = Match::kBeginning;
  }
  return match;
}

size_t LastOf(std::string_view text, const Marks& marks) {
  size_t last = 0;
  for (const std::string_view mark : marks) {
    const size_t at = text.rfind(mark);
    if (at != std::string_view::npos) last = std::max(last, at + mark.size());
  }
  return last;
}

}  // namespace

ReasoningStart StartAfter(std::string_view prompt, const ReasoningFormat& format,
                          ReasoningStart otherwise) {
  while (!prompt.empty() && IsSpace(prompt.back())) prompt.remove_suffix(1);
  // Marks in the middle belong to messages; only the prompt's end says how the reply begins.
  if (!prompt.empty() && LastOf(prompt, format.openers) == prompt.size()) {
    return ReasoningStart::kInside;
  }
  if (!prompt.empty() && LastOf(prompt, format.closers) == prompt.size()) {
    return ReasoningStart::kOutside;
  }
  return otherwise;
}

ReasoningSplitter::ReasoningSplitter(const ReasoningFormat& format, ReasoningStart start,
                                     ReplySink& sink, ReplySplitter& next)
    : format_(format),
      sink_(sink),
      next_(next),
      state_(start == ReasoningStart::kByText
                 ? State::kStart
                 : (start == ReasoningStart::kInside ? State::kInside : State::kOutside)),
      after_opener_(true) {}

void ReasoningSplitter::Push(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && state_ != State::kOutside) Feed(text[i++]);
  if (i < text.size()) next_.Push(text.substr(i));
}

void ReasoningSplitter::Feed(char byte) {
  pending_ += byte;
  if (state_ == State::kStart) {
    ResolveStart();
  } else {
    ResolveInside();
  }
}

// Before the first text: only white space may stand in front of the opener.
void ReasoningSplitter::ResolveStart() {
  if (pending_.size() == 1 && IsSpace(pending_[0])) {
    space_ += std::exchange(pending_, {});
    return;
  }
  const Match opener = MatchOf(pending_, format_.openers);
  const Match closer = MatchOf(pending_, format_.closers);
  if (opener == Match::kWhole) {
    pending_.clear();
    space_.clear();
    state_ = State::kInside;
    return;
  }
  if (opener == Match::kBeginning || closer == Match::kBeginning) return;
  if (closer == Match::kWhole) pending_.clear();  // an end without a beginning
  state_ = State::kOutside;
  next_.Push(std::exchange(space_, {}) + std::exchange(pending_, {}));
}

void ReasoningSplitter::ResolveInside() {
  while (!pending_.empty()) {
    const Match closer = MatchOf(pending_, format_.closers);
    const Match implicit = MatchOf(pending_, format_.implicit_closers);
    const Match opener = after_opener_ ? MatchOf(pending_, format_.openers) : Match::kNone;
    if (closer == Match::kWhole) {
      pending_.clear();
      return Leave();
    }
    if (implicit == Match::kWhole) return Leave();
    if (opener == Match::kWhole) {  // the model repeats what the prompt said
      pending_.clear();
      space_.clear();
      return;
    }
    if (closer != Match::kNone || implicit != Match::kNone || opener != Match::kNone) return;
    const char first = pending_.front();
    pending_.erase(0, 1);
    OnReasoningByte(first);
  }
}

void ReasoningSplitter::OnReasoningByte(char byte) {
  if (IsSpace(byte) && (format_.trims_end || after_opener_)) {
    space_ += byte;
    return;
  }
  after_opener_ = after_opener_ && IsSpace(byte);
  if (!space_.empty()) sink_.OnReasoning(std::exchange(space_, {}));
  sink_.OnReasoning({&byte, 1});
}

void ReasoningSplitter::Leave() {
  if (!format_.trims_end && !space_.empty() && !after_opener_) {
    sink_.OnReasoning(std::exchange(space_, {}));
  }
  space_.clear();
  state_ = State::kOutside;
  if (!pending_.empty()) next_.Push(std::exchange(pending_, {}));
}

void ReasoningSplitter::Finish(ReplyEnd end) {
  if (state_ == State::kStart) {
    next_.Push(std::exchange(space_, {}) + std::exchange(pending_, {}));
  } else if (state_ == State::kInside) {
    for (const char byte : std::exchange(pending_, {})) OnReasoningByte(byte);
    if (!format_.trims_end && !after_opener_) sink_.OnReasoning(space_);
  }
  next_.Finish(end);
}

}  // namespace baton::frontend
