// POST /v1/chat/completions/render and /v1/completions/render: the request of the endpoint,
// answered with the request of tokens that another server is to generate from. It is checked as if
// it were answered here.
#include <memory>
#include <utility>

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/generation/planned_generation.h"
#include "frontend/json/json_body.h"
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

absl::Status Render(ApiContext& context, const GenerationApi& api, const HttpRequest& http,
                    const std::shared_ptr<ResponseSink>& sink) {
  RETURN_IF_ERROR(CheckJsonContentType(http));
  ASSIGN_OR_RETURN(UnderstoodRequest understood,
                   ReadGeneration(context, api.endpoint, http, http.body));
  if (understood.request.sampling.use_beam_search) {
    return InvalidArgument("Beam search is not supported by the render endpoint");
  }
  ASSIGN_OR_RETURN(PlannedGeneration generation,
                   PlanGeneration(context, api, http, std::move(understood)));
  const auto planned = std::make_shared<PlannedGeneration>(std::move(generation));
  CheckPlanned(context, planned,
               [planned, sink, endpoint = api.endpoint](const absl::Status& status) {
                 if (!status.ok()) return sink->Respond(ErrorResponse(status));
                 sink->Respond({.status = 200,
                                .headers = {{"content-type", "application/json"}},
                                .body = BodyOf(*planned, endpoint)});
               });
  return absl::OkStatus();
}

}  // namespace

absl::Status Register_render(ApiContext& context, EndpointRegistry& registry) {
  return AddScaleOutEndpoint(
      context, registry, "render",
      {{"POST", "/v1/chat/completions/render"}, {"POST", "/v1/completions/render"}},
      [&context](const HttpRequest& request, const std::shared_ptr<ResponseSink>& sink) {
        const bool is_chat = request.path.ends_with("/chat/completions/render");
        const absl::Status status =
            Render(context, is_chat ? GenerationApi() : CompletionApi(), request, sink);
        if (!status.ok()) sink->Respond(ErrorResponse(status));
      });
}

}  // namespace baton::frontend
