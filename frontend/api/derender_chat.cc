// POST /v1/chat/completions/derender: what was generated elsewhere, as the object of a chat.
#include "frontend/api/json_endpoint.h"
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/scale_out/derender_answer.h"

namespace baton::frontend {

absl::Status Register_derender_chat(ApiContext& context, EndpointRegistry& registry) {
  return AddScaleOutEndpoint(context, registry, "derender_chat",
                             {{"POST", "/v1/chat/completions/derender"}},
                             MakeJsonHandler([&context](const HttpRequest& http) {
                               return DerenderAnswer(context, http, GenerationEndpoint::kChat);
                             }));
}

}  // namespace baton::frontend
