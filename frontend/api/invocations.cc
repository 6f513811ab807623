// POST /invocations, the one path that SageMaker calls: a chat or a completion, as the body shows.
#include "frontend/api/endpoint.h"
#include "frontend/generation/generation_start.h"
#include "frontend/json/json_body.h"

namespace baton::frontend {
namespace {

// A broken body counts as a chat's, one without messages as a completion's; refused as such.
GenerationEndpoint EndpointOf(const HttpRequest& request) {
  bool has_messages = false;
  SchemaProblems problems;
  const auto members = VisitBody(
      request.body, problems,
      [&](std::string_view name, const JsonField&) { has_messages |= name == "messages"; });
  const bool completes = members.ok() && !has_messages;
  return completes ? GenerationEndpoint::kCompletion : GenerationEndpoint::kChat;
}

}  // namespace

absl::Status Register_invocations(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("invocations", {{"POST", "/invocations"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const GenerationEndpoint endpoint = EndpointOf(request);
                        StartGeneration(context, endpoint, std::move(request), std::move(sink));
                      });
}

}  // namespace baton::frontend
