// POST /v1/messages and POST /v1/messages/count_tokens: Anthropic's Messages API
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "frontend/api/endpoint.h"
#include "frontend/api/messages_format.h"
#include "frontend/generation/generation_start.h"
#include "frontend/json/json_body.h"
#include "frontend/messages/messages_request.h"

namespace baton::frontend {
namespace {

using SinkPtr = std::shared_ptr<ResponseSink>;

absl::Status TryGenerate(ApiContext& context, HttpRequest request, const SinkPtr& sink) {
  RETURN_IF_ERROR(CheckJsonContentType(request));
  ASSIGN_OR_RETURN(request.body, ChatBodyOfMessages(request.body, MessagesPurpose::kGenerate));
  const GenerationApi api{.endpoint = GenerationEndpoint::kChat,
                          .id_prefix = "msg_",
                          .make_format = MakeMessagesFormat,
                          .error_response = MessagesErrorResponse,
                          .wants_cached_tokens = true,
                          .thinking_budget_is_a_wish = true};
  return TryStartGeneration(context, api, request, sink);
}

absl::StatusOr<std::string> CountTokens(ApiContext& context, HttpRequest request) {
  RETURN_IF_ERROR(CheckJsonContentType(request));
  ASSIGN_OR_RETURN(request.body, ChatBodyOfMessages(request.body, MessagesPurpose::kCountTokens));
  ASSIGN_OR_RETURN(const size_t count, CountChatTokens(context, request.body));
  return absl::StrCat("{\"input_tokens\":", count,
                      ",\"context_management\":{\"original_input_tokens\":", count, "}}");
}

void Start(ApiContext& context, HttpRequest request, const SinkPtr& sink) {
  absl::Status status;
  if (request.path.ends_with("/count_tokens")) {
    const absl::StatusOr<std::string> counted = CountTokens(context, std::move(request));
    status = counted.status();
    if (counted.ok()) {
      sink->Respond(
          {.status = 200, .headers = {{"content-type", "application/json"}}, .body = *counted});
    }
  } else {
    status = TryGenerate(context, std::move(request), sink);
  }
  if (!status.ok()) sink->Respond(MessagesErrorResponse(ToApiError(status)));
}

}  // namespace

absl::Status Register_messages(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add(
      "messages", {{"POST", "/v1/messages"}, {"POST", "/v1/messages/count_tokens"}},
      [&context](HttpRequest request, SinkPtr sink) { Start(context, std::move(request), sink); });
}

}  // namespace baton::frontend
