// GET /slots, POST /slots/{id}: llama.cpp's view of its places for sequences. There are none here:
// workers hold blocks that every request shares, and a frontend keeps nothing between requests.
#include "common/base/status.h"
#include "frontend/api/endpoint.h"
#include "frontend/llama/llama_error.h"

namespace baton::frontend {

absl::Status Register_llama_slots(ApiContext&, EndpointRegistry& registry) {
  return registry.Add(
      "llama_slots", {{"GET", "/slots"}, {"POST", "/slots/{slot_id}"}},
      [](HttpRequest, std::shared_ptr<ResponseSink> sink) {
        sink->Respond(LlamaErrorResponse(Unimplemented(
            "This server has no slots: prefixes are shared by all requests without being saved or "
            "restored. /metrics tells how busy it is.")));
      });
}

}  // namespace baton::frontend
