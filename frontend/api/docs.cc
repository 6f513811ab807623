// GET /docs, its assets, and GET /openapi.json
#include "common/base/build_info.h"
#include "frontend/api/endpoint.h"
#include "frontend/api/openapi_document.h"
#include "frontend/json/openai_error.h"
#include "frontend/web/web_assets.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton::frontend {
namespace {

HttpResponse AssetResponse(std::string_view name) {
  const std::string_view bytes = WebAsset(name);
  if (bytes.empty()) return ErrorResponse(NotFound(absl::StrCat("no such page: ", ToAbsl(name))));
  HttpResponse response;
  response.headers.emplace_back("content-type", MediaTypeOf(name));
  response.body = bytes;
  return response;
}

void Answer(const HttpRequest& request, ResponseSink& sink, const std::string& document) {
  if (request.path == "/openapi.json") {
    sink.Respond(
        {.status = 200, .headers = {{"content-type", "application/json"}}, .body = document});
  } else if (request.path_parameters.empty()) {
    sink.Respond(AssetResponse("docs.html"));
  } else {
    sink.Respond(AssetResponse(request.path_parameters.front()));
  }
}

}  // namespace

absl::Status Register_docs(ApiContext& context, EndpointRegistry& registry) {
  if (!context.options.docs) return registry.Add("docs", {}, nullptr);
  return registry.Add("docs",
                      {{"GET", "/docs"}, {"GET", "/docs/{asset}"}, {"GET", "/openapi.json"}},
                      [document = OpenApiDocument(Version())](HttpRequest request,
                                                              std::shared_ptr<ResponseSink> sink) {
                        Answer(request, *sink, document);
                      });
}

}  // namespace baton::frontend
