// GET /metrics: this process, and its peers where a supervisor has named them.
#include "frontend/api/endpoint.h"
#include "frontend/metrics/peer_metrics.h"

namespace baton::frontend {
namespace {

void RespondWith(std::string text, ResponseSink& sink) {
  sink.Respond({.status = 200,
                .headers = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}},
                .body = std::move(text)});
}

}  // namespace

absl::Status Register_metrics_page(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("metrics_page", {{"GET", "/metrics"}},
                      [&context](HttpRequest, std::shared_ptr<ResponseSink> sink) {
                        if (context.peer_metrics == nullptr) {
                          return RespondWith(context.registry.Expose(), *sink);
                        }
                        context.peer_metrics->Collect(
                            [sink](std::string text) { RespondWith(std::move(text), *sink); });
                      });
}

}  // namespace baton::frontend
