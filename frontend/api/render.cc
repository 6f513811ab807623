// POST /v1/{chat/completions,completions,messages,responses}/render: the request of the endpoint,
// answered with the request of tokens that another server is to generate from. It is checked as if
// it were answered here.
#include <memory>
#include <utility>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/api/responses_format.h"
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/generation/planned_generation.h"
#include "frontend/json/json_body.h"
#include "frontend/json/openai_error.h"
#include "frontend/messages/messages_request.h"
#include "frontend/responses/responses_request.h"
#include "frontend/scale_out/generate_request_json.h"

namespace baton::frontend {
namespace {

// One request of a chat; a list of them, one for each prompt, of a completion.
std::string BodyOf(const PlannedGeneration& planned, GenerationEndpoint endpoint) {
  std::string body;
  if (endpoint == GenerationEndpoint::kChat) {
    AppendGenerateRequest(planned, 0, &body);
    return body;
  }
  for (size_t i = 0; i < planned.specs.size(); ++i) {
    body += i > 0 ? ',' : '[';
    AppendGenerateRequest(planned, i, &body);
  }
  return body + ']';
}

using SinkPtr = std::shared_ptr<ResponseSink>;

absl::Status Render(ApiContext& context, const GenerationApi& api, const HttpRequest& http,
                    UnderstoodRequest understood, const SinkPtr& sink) {
  if (understood.request.sampling.use_beam_search) {
    return InvalidArgument("Beam search is not supported by the render endpoint");
  }
  ASSIGN_OR_RETURN(PlannedGeneration generation,
                   PlanGeneration(context, api, http, std::move(understood)));
  const auto planned = std::make_shared<PlannedGeneration>(std::move(generation));
  CheckPlanned(context, planned,
               [planned, sink, endpoint = api.endpoint,
                refuse = api.error_response](const absl::Status& status) {
                 if (!status.ok()) return sink->Respond(refuse(ToApiError(status)));
                 sink->Respond({.status = 200,
                                .headers = {{"content-type", "application/json"}},
                                .body = BodyOf(*planned, endpoint)});
               });
  return absl::OkStatus();
}

absl::Status RenderBody(ApiContext& context, const GenerationApi& api, const HttpRequest& http,
                        const SinkPtr& sink) {
  ASSIGN_OR_RETURN(UnderstoodRequest understood,
                   ReadGeneration(context, api.endpoint, http, http.body));
  return Render(context, api, http, std::move(understood), sink);
}

absl::Status RenderMessages(ApiContext& context, HttpRequest http, const SinkPtr& sink) {
  ASSIGN_OR_RETURN(http.body, ChatBodyOfMessages(http.body, MessagesPurpose::kGenerate));
  const GenerationApi api{.thinking_budget_is_a_wish = true};
  ASSIGN_OR_RETURN(UnderstoodRequest understood,
                   ReadGeneration(context, api.endpoint, http, http.body));
  // The events of a message count its tokens from the first to the last.
  OutputOptions& output = understood.request.output;
  output.has_stream_options = output.stream;
  output.include_usage = output.stream;
  output.continuous_usage_stats = output.stream;
  return Render(context, api, http, std::move(understood), sink);
}

absl::Status RenderResponse(ApiContext& context, HttpRequest http, const SinkPtr& sink) {
  ASSIGN_OR_RETURN(const ResponsesRequest request, ResponsesRequest::Parse(http.body));
  if (request.previous_response_id().has_value()) {
    ApiError error = ToApiError(
        WithField(InvalidArgument("previous_response_id is not supported by the stateless render "
                                  "endpoint."),
                  "previous_response_id"));
    error.type = kInvalidRequest;
    sink->Respond(ErrorResponse(error));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(http.body, request.ChatBody(/*earlier_items_json=*/""));
  const GenerationApi api{.id = request.request_id().value_or("resp_" + http.request_id),
                          .error_response = ResponsesErrorResponse};
  return RenderBody(context, api, http, sink);
}

absl::Status TryStart(ApiContext& context, HttpRequest http, const SinkPtr& sink) {
  RETURN_IF_ERROR(CheckJsonContentType(http));
  const std::string& path = http.path;
  if (path.ends_with("/messages/render")) return RenderMessages(context, std::move(http), sink);
  if (path.ends_with("/responses/render")) return RenderResponse(context, std::move(http), sink);
  const bool is_chat = path.ends_with("/chat/completions/render");
  return RenderBody(context, is_chat ? GenerationApi() : CompletionApi(), http, sink);
}

}  // namespace

absl::Status Register_render(ApiContext& context, EndpointRegistry& registry) {
  return AddScaleOutEndpoint(
      context, registry, "render",
      {{"POST", "/v1/chat/completions/render"},
       {"POST", "/v1/completions/render"},
       {"POST", "/v1/messages/render"},
       {"POST", "/v1/responses/render"}},
      [&context](HttpRequest request, const SinkPtr& sink) {
        const bool is_response = request.path.ends_with("/responses/render");
        const absl::Status status = TryStart(context, std::move(request), sink);
        if (status.ok()) return;
        const ApiError error = ToApiError(status);
        sink->Respond(is_response ? ResponsesErrorResponse(error) : ErrorResponse(error));
      });
}

}  // namespace baton::frontend
