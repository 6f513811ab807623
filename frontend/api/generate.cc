// POST /inference/v1/generate: tokens in, tokens out.
#include "frontend/api/scale_out_endpoint.h"
#include "frontend/generation/generation_start.h"
#include "frontend/scale_out/generate_format.h"

namespace baton::frontend {

absl::Status Register_generate(ApiContext& context, EndpointRegistry& registry) {
  const GenerationApi api{.endpoint = GenerationEndpoint::kTokens,
                          .id_prefix = "generate-tokens-",
                          .make_format = MakeGenerateFormat};
  return AddScaleOutEndpoint(
      context, registry, "generate", {{"POST", "/inference/v1/generate"}},
      [&context, api](const HttpRequest& request, const std::shared_ptr<ResponseSink>& sink) {
        StartGeneration(context, api, request, sink);
      });
}

}  // namespace baton::frontend
