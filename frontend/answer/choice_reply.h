// One choice of a chat's answer as a message: its text read into reasoning, content and calls, and
// their JSON.
//
//   MessageDelta message = reply.Read(delta);
//   AppendMessageDelta(plan, "", message, &chunk);
//
// Threading: owned by one answer's strand. Ownership: the plan outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/answer/reply_plan.h"
#include "frontend/stream/generation_types.h"
#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

class ChoiceReply {
 public:
  // `plan` may be null: all text is content.
  explicit ChoiceReply(const ChatReply* plan);

  // What a delta adds to the message. Calls that begin have their ids.
  MessageDelta Read(const ChoiceDelta& delta);

  // True if the last delta's tokens belong to reasoning that the client does not want to see.
  bool is_hidden() const { return is_hidden_; }
  uint32_t reasoning_tokens() const { return reasoning_tokens_; }

  // "stop", "length", "tool_calls" or "function_call".
  std::string_view FinishReason(const ChoiceEnd& end) const;

 private:
  void Push(const ChoiceDelta& delta);

  const ChatReply* plan_;
  std::optional<ReplyParser> parser_;  // none: plain
  bool is_hidden_ = false;
  uint32_t reasoning_tokens_ = 0;
};

// {"role":…}, {"content":…}, {"reasoning":…}, {"tool_calls":[…]} or what of them there is. A
// message that adds nothing is {"content":""} when everything is content, else {}.
void AppendMessageDelta(const ChatReply* plan, std::string_view role, const MessageDelta& message,
                        std::string* out);

// "content":… to "tool_calls":… of an answer that is not streamed. `echo` stands before the
// content.
void AppendMessageMembers(const ChatReply* plan, std::string_view echo, const MessageDelta& message,
                          std::string* out);

}  // namespace baton::frontend
