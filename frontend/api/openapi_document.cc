#include "frontend/api/openapi_document.h"

#include <nlohmann/json.hpp>

#include "absl/types/span.h"
#include "common/base/check.h"
#include "common/json/json.h"
#include "frontend/api/endpoint.h"
#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

Json File(const std::string& name) {
  const absl::StatusOr<Json> json = ParseJson(OpenApiFile(name + ".json"));
  BATON_CHECK(json.ok()) << "openapi/" << name << ".json: " << json.status().message();
  return *json;
}

absl::Span<const Parameter> Table(const std::string& name) {
  if (name == "chat") return ChatParameters();
  if (name == "tools") return ToolParameters();
  if (name == "completion") return CompletionParameters();
  if (name == "sampler") return SamplerParameters();
  if (name == "sampling") return SamplingParameters();
  if (name == "envelope") return EnvelopeParameters();
  if (name == "tokens") return TokenParameters();
  if (name == "token_sampling") return TokenSamplingParameters();
  return SharedParameters();
}

// The schema of a body that is read with tables: what is refused is not shown, and what stands in
// several tables is the first one's.
Json BodySchema(const Json& body, const Json& descriptions) {
  Json properties = Json::object();
  Json seen = Json::object();
  for (const Json& table : body["tables"]) {
    for (const Parameter& parameter : Table(table)) {
      const std::string name(parameter.name);
      if (!seen.emplace(name, true).second || parameter.support == Support::kUnsupported) continue;
      if (descriptions.contains(name)) {
        properties[name] = descriptions[name];
      } else {
        properties[name] = {{"description", "Accepted without effect."}};
      }
    }
  }
  return {{"type", "object"}, {"required", body["required"]}, {"properties", properties}};
}

Json Start(std::string_view version) {
  const Json error = {{"type", "object"},
                      {"required", {"error"}},
                      {"properties",
                       {{"error",
                         {{"type", "object"},
                          {"required", {"message", "type", "code"}},
                          {"properties",
                           {{"message", {{"type", "string"}}},
                            {"type", {{"type", "string"}}},
                            {"param", {{"type", {"string", "null"}}}},
                            {"code", {{"type", "integer"}}}}}}}}}};
  Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Baton"},
        {"version", std::string(version)},
        {"description", "Serves large language models to clients of OpenAI, vLLM and llama.cpp."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"paths", Json::object()},
      {"components",
       {{"schemas", {{"Error", error}}},
        {"responses",
         {{"Error",
           {{"description", "What is wrong with the request, or why it cannot be served."},
            {"content",
             {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}}}}},
        {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
  };
  // A key is needed only where the server was given some.
  document["security"] = Json::array({Json::object(), {{"key", Json::array()}}});
  return document;
}

}  // namespace

std::string OpenApiDocument(std::string_view version) {
  Json document = Start(version);
  const Json descriptions = File("parameters");
  for (const std::string& endpoint : EndpointNames()) {
    const Json part = File(endpoint);
    document["paths"].update(part["paths"]);
    Json& schemas = document["components"]["schemas"];
    if (part.contains("schemas")) schemas.update(part["schemas"]);
    if (!part.contains("bodies")) continue;
    for (const auto& [name, body] : part["bodies"].items()) {
      schemas[name] = BodySchema(body, descriptions);
    }
  }
  return SerializeJson(document);
}

}  // namespace baton::frontend
