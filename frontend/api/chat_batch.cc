// POST /v1/chat/completions/batch: several conversations, a choice for each.
#include "frontend/api/endpoint.h"
#include "frontend/generation/generation_start.h"
#include "frontend/json/openai_error.h"

namespace baton::frontend {

absl::Status Register_chat_batch(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("chat_batch", {{"POST", "/v1/chat/completions/batch"}},
                      [&context](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                        const absl::Status status = TryStartBatch(context, request, sink);
                        if (!status.ok()) sink->Respond(ErrorResponse(status));
                      });
}

}  // namespace baton::frontend
