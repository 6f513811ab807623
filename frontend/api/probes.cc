// GET /livez, /readyz, /startupz: the probes, as the admin port has them.
#include "frontend/api/endpoint.h"

namespace baton::frontend {
namespace {

HttpResponse Probe(bool good, std::string body) {
  return {.status = good ? 200 : 503,
          .headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}},
          .body = std::move(body)};
}

}  // namespace

absl::Status Register_probes(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("probes", {{"GET", "/livez"}, {"GET", "/readyz"}, {"GET", "/startupz"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const Lifecycle& lifecycle = context.lifecycle;
                        const bool good = request.path == "/livez"    ? lifecycle.alive()
                                          : request.path == "/readyz" ? lifecycle.ready()
                                                                      : lifecycle.started();
                        sink->Respond(Probe(good, lifecycle.ToJson()));
                      });
}

}  // namespace baton::frontend
