#include "frontend/api/scale_out_endpoint.h"

#include <utility>

#include "common/base/status.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {
namespace {

void RefuseClosed(HttpRequest, const std::shared_ptr<ResponseSink>& sink) {
  sink->Respond(ErrorResponse(PermissionDenied(
      "Scale-out endpoints are disabled. Restart baton serve with --enable-scale-out to enable "
      "them.")));
}

}  // namespace

absl::Status AddScaleOutEndpoint(const ApiContext& context, EndpointRegistry& registry,
                                 std::string_view name,
                                 const std::vector<EndpointRegistry::Route>& routes,
                                 HttpHandler handler) {
  return registry.Add(name, routes, context.options.scale_out ? std::move(handler) : RefuseClosed);
}

}  // namespace baton::frontend
