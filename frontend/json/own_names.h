// The errors of the chat endpoint in the words of an API that is translated to it: what a client
// calls "max_output_tokens" is not to be called "max_completion_tokens" when it is wrong.
//
// Threading: pure.
#pragma once

#include <string_view>

#include "absl/types/span.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {

// A field of the chat endpoint, and what the other API calls it.
struct OwnName {
  std::string_view chat;
  std::string_view own;
};

// Replaces the names in the message and in the parameter. `names` are no parts of usual words.
ApiError WithOwnNames(ApiError error, absl::Span<const OwnName> names);

}  // namespace baton::frontend
