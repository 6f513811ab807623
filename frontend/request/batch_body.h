// The body of a batch of chats, taken apart: what of it is a chat's body, and the other
// conversations.
//
// Threading: pure.
// Errors:    INVALID_ARGUMENT for what is no list of conversations, and for what a batch cannot
// have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

struct BatchBody {
  std::string first;              // a chat's body, with the first conversation
  std::vector<ChatInput> others;  // nothing but what their messages say
};

// `body` has 64 bytes of room behind its end, and so do the parts.
absl::StatusOr<BatchBody> SplitBatchBody(std::string_view body);

}  // namespace baton::frontend
