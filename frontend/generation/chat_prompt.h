// Renders a chat request's messages with the model's template, and makes tokens of them.
//
//   ASSIGN_OR_RETURN(ChatPrompt prompt, RenderChatPrompt(request, model, options, now));
//   ASSIGN_OR_RETURN(std::vector<TokenId> ids, EncodeChatPrompt(prompt, request, model));
//
// Which template: the one that the request names among the model's own ("rag"), the request's own
// text if those are trusted, else as transformers chooses: "tool_use" where there are tools and the
// model has it, or the default one.
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT with the template's own words, for a model without a template, and
//            for a template in the request when those are not trusted.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "frontend/client/model_context.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

struct ChatPromptOptions {
  bool trust_request_template = false;
  // Special tokens spelled in what users and tools say are text like any other.
  bool plain_user_special_tokens = false;
  bool hides_unused_tools = false;  // with tool_choice none they are not in the prompt either
};

struct ChatPrompt {
  std::string text;
  std::vector<size_t> plain_at;  // no special token may be recognised across these offsets
};

absl::StatusOr<ChatPrompt> RenderChatPrompt(const GenerationRequest& request,
                                            const ModelContext& model,
                                            const ChatPromptOptions& options, WallTime now);

absl::StatusOr<std::vector<TokenId>> EncodeChatPrompt(const ChatPrompt& prompt,
                                                      const GenerationRequest& request,
                                                      const ModelContext& model);

}  // namespace baton::frontend
