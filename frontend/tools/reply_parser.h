// Reads one reply: text in, reasoning and content and tool calls out, the same whether the text
// comes at once or byte by byte.
//
//   ReplyParser parser(plan);
//   while (more) { parser.Push(piece); Show(parser.Take()); }
//   parser.Finish(ReplyEnd::kStopped);
//   Show(parser.Take());
//
// Threading: owned by one choice of one answer. Ownership: the plan outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/tools/reasoning_format.h"
#include "frontend/tools/reasoning_splitter.h"
#include "frontend/tools/reply_sink.h"
#include "frontend/tools/tool_format.h"
#include "frontend/tools/tool_set.h"

namespace baton::frontend {

// How the replies to one request are read. Constant once its answer has begun.
struct ReplyPlan {
  const ReasoningFormat* reasoning = nullptr;  // null: none is told apart
  ReasoningStart reasoning_start = ReasoningStart::kByText;
  const ToolFormat* tool_format = nullptr;  // null: no calls
  ToolSet tools;
  bool parallel_calls = true;     // false: only the first call counts
  bool takes_whole_reply = true;  // a reply that is nothing but a call's JSON is a call

  bool in_channels() const {
    return (reasoning != nullptr && reasoning->in_channels) ||
           (tool_format != nullptr && tool_format->in_channels);
  }
};

// What is new in a message.
struct MessageDelta {
  struct Call {
    uint32_t index = 0;
    std::string name;  // empty: the call has begun before
    std::string id;    // the one that the model wrote, or empty
    std::string arguments;
  };
  std::string reasoning;
  std::string content;
  std::vector<Call> calls;

  bool empty() const { return reasoning.empty() && content.empty() && calls.empty(); }
};

class ReplyParser {
 public:
  explicit ReplyParser(const ReplyPlan& plan);
  explicit ReplyParser(ReplyPlan&& plan) = delete;  // it would not outlive the parser
  ~ReplyParser();

  ReplyParser(ReplyParser&&) noexcept;
  ReplyParser& operator=(ReplyParser&&) noexcept;

  void Push(std::string_view text);
  void Finish(ReplyEnd end);

  // What has become certain since the last time.
  MessageDelta Take();

  bool in_reasoning() const;
  uint32_t call_count() const;
  // At least one call, and all of them with complete arguments.
  bool all_calls_whole() const;

 private:
  struct Parts;

  std::unique_ptr<Parts> parts_;  // all that a token touches, in one place
};

}  // namespace baton::frontend
