// Reads gpt-oss's replies, which are messages in channels:
//
//   <|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…
//   <|start|>assistant<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}
//
// The analysis is reasoning, a message to a function is a call, the final channel and a commentary
// to nobody are content. A reply that begins without a header is content.
//
// Threading: owned by one choice of one answer. Ownership: sink and next, which gets the content,
// outlive it.
#pragma once

#include <string>
#include <string_view>

#include "frontend/tools/json_reader.h"
#include "frontend/tools/reply_sink.h"

namespace baton::frontend {

class HarmonySplitter : public ReplySplitter {
 public:
  // Without `with_calls` messages to functions are content.
  HarmonySplitter(bool with_calls, ReplySink& sink, ReplySplitter& next)
      : with_calls_(with_calls), sink_(sink), next_(next) {}

  void Push(std::string_view text) override;
  void Finish(ReplyEnd end) override;

  bool in_reasoning() const override { return part_ == Part::kReasoning; }

 private:
  enum class Part { kHeader, kReasoning, kContent, kCall, kNobody };

  void Feed(char byte);
  void OnByte(char byte);
  void OnMark(std::string_view mark);
  void BeginMessage();
  void OnArgumentByte(char byte);
  // The call is over; arguments that are not whole are closed, and it does not end.
  void EndArguments();
  void EndMessage(ReplyEnd end);

  const bool with_calls_;
  ReplySink& sink_;
  ReplySplitter& next_;
  Part part_ = Part::kContent;
  std::string pending_;  // the beginning of a mark
  std::string header_;   // marks and words up to the message
  JsonReader arguments_;
  bool has_arguments_ = false;
  bool whole_ = false;  // the arguments are complete
};

}  // namespace baton::frontend
