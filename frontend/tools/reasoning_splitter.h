// Tells a reply's reasoning from the rest, by the marks of one format; the rest goes on to the next
// splitter.
//
// Threading: owned by one choice of one answer. Ownership: format, sink and next outlive it.
#pragma once

#include <string>
#include <string_view>

#include "frontend/tools/reasoning_format.h"
#include "frontend/tools/reply_sink.h"

namespace baton::frontend {

// Where a reply begins.
enum class ReasoningStart {
  kInside,   // the prompt opened the reasoning
  kOutside,  // there will be none
  kByText,   // inside if it begins with the opener
};

// What a rendered prompt leaves open: whether its last mark is an opener (kInside) or a closer
// (kOutside) that ends the prompt; else `otherwise`.
ReasoningStart StartAfter(std::string_view prompt, const ReasoningFormat& format,
                          ReasoningStart otherwise);

class ReasoningSplitter : public ReplySplitter {
 public:
  ReasoningSplitter(const ReasoningFormat& format, ReasoningStart start, ReplySink& sink,
                    ReplySplitter& next);

  void Push(std::string_view text) override;
  void Finish(ReplyEnd end) override;
  ReplySplitter* successor() override { return state_ == State::kOutside ? &next_ : this; }

  bool in_reasoning() const override { return state_ == State::kInside; }

 private:
  enum class State { kStart, kInside, kOutside };

  void Feed(char byte);
  void ResolveStart();
  void ResolveInside();
  void OnReasoningByte(char byte);
  void Leave();

  const ReasoningFormat& format_;
  ReplySink& sink_;
  ReplySplitter& next_;
  State state_;
  bool after_opener_ = false;  // nothing but white space since the prompt or an opener
  std::string pending_;        // the beginning of a mark
  std::string space_;          // white space that may end the reasoning
};

}  // namespace baton::frontend
