// POST /v1/chat/completions, and /chat/completions for clients of llama-server.
#include "frontend/api/endpoint.h"
#include "frontend/generation/generation_start.h"

namespace baton::frontend {

absl::Status Register_chat_completions(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add(
      "chat_completions", {{"POST", "/v1/chat/completions"}, {"POST", "/chat/completions"}},
      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
        StartGeneration(context, GenerationEndpoint::kChat, std::move(request), std::move(sink));
      });
}

}  // namespace baton::frontend
