// POST /v1/completions/derender: what was generated elsewhere, as the object of a completion.
#include "frontend/api/json_endpoint.h"
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/scale_out/derender_answer.h"

namespace baton::frontend {

absl::Status Register_derender_completion(ApiContext& context, EndpointRegistry& registry) {
  return AddScaleOutEndpoint(
      context, registry, "derender_completion", {{"POST", "/v1/completions/derender"}},
      MakeJsonHandler([&context](const HttpRequest& http) {
        return DerenderAnswer(context, http, GenerationEndpoint::kCompletion);
      }));
}

}  // namespace baton::frontend
