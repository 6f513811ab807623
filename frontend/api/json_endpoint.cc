#include "frontend/api/json_endpoint.h"

#include <utility>

#include "frontend/json/json_body.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

HttpResponse ResponseOf(const JsonAnswer& answer, const HttpRequest& request) {
  if (request.method == "POST") {
    const absl::Status is_json = CheckJsonContentType(request);
    if (!is_json.ok()) return ErrorResponse(is_json);
  }
  absl::StatusOr<std::string> body = answer(request);
  if (!body.ok()) return ErrorResponse(body.status());
  return {
      .status = 200, .headers = {{"content-type", "application/json"}}, .body = *std::move(body)};
}

}  // namespace

HttpHandler MakeJsonHandler(JsonAnswer answer) {
  return [answer = std::move(answer)](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
    sink->Respond(ResponseOf(answer, request));
  };
}

absl::Status AddJsonEndpoint(std::string_view name,
                             const std::vector<EndpointRegistry::Route>& routes,
                             EndpointRegistry& registry, JsonAnswer answer) {
  return registry.Add(name, routes, MakeJsonHandler(std::move(answer)));
}

}  // namespace baton::frontend
