// A request to Anthropic's /v1/messages, said in the words of chat completions: blocks become
// parts, tool results become tool messages, input_schema becomes parameters. What the chat endpoint
// checks is left to it; what only this API has is checked here.
//
//   ASSIGN_OR_RETURN(std::string chat, ChatBodyOfMessages(body, MessagesPurpose::kGenerate));
//
// Threading: pure functions.
// Errors:    INVALID_ARGUMENT that begins with the path, as Anthropic words it:
//            "messages.0.content: Field required".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton::frontend {

enum class MessagesPurpose {
  kGenerate,
  kCountTokens,  // max_tokens is not needed
};

absl::StatusOr<std::string> ChatBodyOfMessages(std::string_view body, MessagesPurpose purpose);

}  // namespace baton::frontend
