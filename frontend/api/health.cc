// GET /health, and its alias GET or POST /ping: an empty 200 while requests can be served.
#include "common/base/status.h"
#include "frontend/api/endpoint.h"
#include "frontend/api/openai_error.h"

namespace baton::frontend {

absl::Status Register_health(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add(
      "health", {{"GET", "/health"}, {"GET", "/ping"}, {"POST", "/ping"}},
      [&context](HttpRequest, std::shared_ptr<ResponseSink> sink) {
        if (context.lifecycle.ready()) return sink->Respond(HttpResponse());
        const std::string state(LifecycleStateName(context.lifecycle.state()));
        sink->Respond(ErrorResponse(WithRetryAfter(
            Unavailable("The server cannot serve requests now: it is " + state + "."),
            std::chrono::seconds(1))));
      });
}

}  // namespace baton::frontend
