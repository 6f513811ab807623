// How the replies to a chat request are read and shown: which calls and which reasoning there may
// be in the text, and in what form clients see them.
//
//   ASSIGN_OR_RETURN(plan.reply, MakeChatReply(request.chat, model, prompt, options));
//
// Threading: pure; a ChatReply is constant once made.
// Errors:    INVALID_ARGUMENT with the path of what is wrong with a tool, and for a choice of a
// tool
//            that is not declared.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "frontend/client/model_context.h"
#include "frontend/request/generation_request.h"
#include "frontend/tools/reply_parser.h"

namespace baton::frontend {

struct ChatReply {
  ReplyPlan parse;
  bool has_tools = false;           // a reply may be calls
  bool is_enforced = false;         // it must be: tool_choice required, or a function's name
  bool is_named = false;            // the latter: the finish reason says nothing of calls
  bool deprecated_form = false;     // function_call instead of tool_calls
  bool include_reasoning = true;    // false: what belongs to it is not shown at all
  bool old_reasoning_name = false;  // reasoning_content beside reasoning
};

struct ReplyOptions {
  bool old_reasoning_name = false;
};

// Null if all of a reply is content. `prompt` is the rendered one: its end says whether the reply
// begins inside reasoning.
absl::StatusOr<std::shared_ptr<const ChatReply>> MakeChatReply(const ChatInput& chat,
                                                               const ModelContext& model,
                                                               std::string_view prompt,
                                                               ReplyOptions options);

}  // namespace baton::frontend
