// From an HTTP request to generations under way: what chat and completions have in common.
//
// Threading: on a handler's thread; returns as soon as the request is on its way.
// Errors:    answered on the sink, in the API's shape.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "frontend/generation/api_context.h"
#include "frontend/generation/generation_plan.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

// The body is the endpoint's. An error is the caller's to answer; the sink is then untouched.
absl::Status TryStartGeneration(ApiContext& context, const GenerationApi& api,
                                const HttpRequest& request,
                                const std::shared_ptr<ResponseSink>& sink);

// A batch of chats: `messages` is a list of conversations, and each is a choice of the answer.
absl::Status TryStartBatch(ApiContext& context, const HttpRequest& request,
                           const std::shared_ptr<ResponseSink>& sink);

// The same with errors answered.
void StartGeneration(ApiContext& context, const GenerationApi& api, const HttpRequest& request,
                     const std::shared_ptr<ResponseSink>& sink);
void StartGeneration(ApiContext& context, GenerationEndpoint endpoint, HttpRequest request,
                     std::shared_ptr<ResponseSink> sink);

// The tokens of a chat request's prompt; `body` is that of the chat endpoint.
absl::StatusOr<size_t> CountChatTokens(const ApiContext& context, std::string_view body);

}  // namespace baton::frontend
