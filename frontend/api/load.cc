// GET /load: generation requests in flight.
#include "frontend/api/endpoint.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {

absl::Status Register_load(ApiContext& context, EndpointRegistry& registry) {
  return registry.Add("load", {{"GET", "/load"}},
                      [&context](HttpRequest, std::shared_ptr<ResponseSink> sink) {
                        HttpResponse response;
                        response.headers.emplace_back("content-type", "application/json");
                        JsonWriter json(&response.body);
                        const auto in_flight = static_cast<int64_t>(context.limiter.in_flight());
                        json.BeginObject().Key("server_load").Int(in_flight).EndObject();
                        sink->Respond(std::move(response));
                      });
}

}  // namespace baton::frontend
