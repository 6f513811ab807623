// POST /v1/completions
#include "frontend/api/endpoint.h"
#include "frontend/generation/generation_start.h"

namespace baton::frontend {

absl::Status Register_completions(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("completions", {{"POST", "/v1/completions"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        StartGeneration(context, GenerationEndpoint::kCompletion,
                                        std::move(request), std::move(sink));
                      });
}

}  // namespace baton::frontend
