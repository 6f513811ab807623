// GET /version
#include "common/base/build_info.h"
#include "frontend/api/endpoint.h"
#include "frontend/json/json_writer.h"

namespace baton::frontend {

absl::Status Register_version(ApiContext&, EndpointRegistry& registry) {
  return registry.Add("version", {{"GET", "/version"}},
                      [](HttpRequest, std::shared_ptr<ResponseSink> sink) {
                        HttpResponse response;
                        response.headers.emplace_back("content-type", "application/json");
                        JsonWriter json(&response.body);
                        json.BeginObject().Key("version").String(Version()).EndObject();
                        sink->Respond(std::move(response));
                      });
}

}  // namespace baton::frontend
