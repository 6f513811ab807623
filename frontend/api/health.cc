// GET /health and GET or POST /ping: 200 while requests can be served. vLLM's answers are empty;
// llama.cpp's clients read a status from that of /health.
#include "common/base/status.h"
#include "frontend/api/endpoint.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {

absl::Status Register_health(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add(
      "health", {{"GET", "/health"}, {"GET", "/v1/health"}, {"GET", "/ping"}, {"POST", "/ping"}},
      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
        if (context.lifecycle.ready()) {
          HttpResponse response;
          if (request.path.ends_with("/health")) {
            response.headers = {{"content-type", "application/json"}};
            response.body = "{\"status\":\"ok\"}";
          }
          return sink->Respond(std::move(response));
        }
        const std::string state(LifecycleStateName(context.lifecycle.state()));
        sink->Respond(ErrorResponse(WithRetryAfter(
            Unavailable("The server cannot serve requests now: it is " + state + "."),
            std::chrono::seconds(1))));
      });
}

}  // namespace baton::frontend
