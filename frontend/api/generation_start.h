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
#include "frontend/api/answer_format.h"
#include "frontend/api/endpoint.h"
#include "frontend/api/request_parser.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

// What makes one API of generations differ from another.
struct GenerationApi {
  GenerationEndpoint endpoint = GenerationEndpoint::kChat;  // whose fields the body has
  std::string_view id_prefix = "chatcmpl-";                 // of an id made from the request's
  std::string id = {};                                      // the answer's, if it has one already
  MakeAnswerFormat make_format = MakeChatFormat;
  HttpResponse (*error_response)(const ApiError&) = ErrorResponse;
  // Called when a request is refused after TryStartGeneration was OK: its constraint was no good.
  std::function<void()> on_refused = nullptr;
  bool wants_cached_tokens = false;  // in the usage, whatever the operator says
  // Its clients ask for a budget of any model: no error for one that has no use for it.
  bool thinking_budget_is_a_wish = false;
};

// The body is the endpoint's. An error is the caller's to answer; the sink is then untouched.
absl::Status TryStartGeneration(ApiContext& context, const GenerationApi& api,
                                const HttpRequest& request,
                                const std::shared_ptr<ResponseSink>& sink);

// A batch of chats: `messages` is a list of conversations, and each is a choice of the answer.
absl::Status TryStartBatch(ApiContext& context, const HttpRequest& request,
                           const std::shared_ptr<ResponseSink>& sink);

void StartGeneration(ApiContext& context, GenerationEndpoint endpoint, HttpRequest request,
                     std::shared_ptr<ResponseSink> sink);

// The tokens of a chat request's prompt; `body` is that of the chat endpoint.
absl::StatusOr<size_t> CountChatTokens(const ApiContext& context, std::string_view body);

}  // namespace baton::frontend
