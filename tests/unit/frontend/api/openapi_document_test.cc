// The description of the API against the routes that are served and the tables that read bodies.
#include "frontend/api/openapi_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "frontend/api/endpoint.h"
#include "frontend/request/parameter.h"
#include "frontend/web/web_assets.h"
#include "tests/fakes/api_fixture.h"

namespace baton::frontend {
namespace {

using Json = nlohmann::json;

// All endpoints, registered as in the server.
class OpenApiDocumentTest : public ApiFixture {
 protected:
  OpenApiDocumentTest() : ApiFixture({.card = {}}) { options_.tokenizer_info = true; }

  const Json document_ = Json::parse(OpenApiDocument("1.2.3"));
};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

TEST_F(OpenApiDocumentTest, DescribesTheRoutesAndNoOthers) {
  EndpointRegistry endpoints;
  ASSERT_TRUE(RegisterBuiltinEndpoints(context_, endpoints).ok());
  std::set<std::pair<std::string, std::string>> served;
  for (auto [method, pattern] : endpoints.routes()) {
    if (const size_t star = pattern.find("*}"); star != std::string::npos) pattern.erase(star, 1);
    served.emplace(Lower(method), pattern);
  }
  std::set<std::pair<std::string, std::string>> described;
  for (const auto& [path, methods] : document_["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      described.emplace(method, path);
      EXPECT_FALSE(operation["summary"].get<std::string>().empty());
      EXPECT_FALSE(operation["responses"].empty()) << path;
    }
  }
  EXPECT_EQ(described, served);
}

TEST_F(OpenApiDocumentTest, DescribesEveryParameterThatHasAnEffect) {
  const Json descriptions = Json::parse(OpenApiFile("parameters.json"));
  std::set<std::string> known;
  for (const auto table : {ChatParameters(), ToolParameters(), CompletionParameters(),
                           SharedParameters(), SamplerParameters(), SamplingParameters(),
                           EnvelopeParameters(), TokenParameters(), TokenSamplingParameters()}) {
    for (const Parameter& parameter : table) {
      known.emplace(parameter.name);
      if (parameter.support != Support::kSupported) continue;
      EXPECT_TRUE(descriptions.contains(std::string(parameter.name))) << parameter.name;
    }
  }
  for (const auto& [name, schema] : descriptions.items()) {
    EXPECT_TRUE(known.contains(name)) << name << " is described and in no table";
    EXPECT_TRUE(schema.contains("description")) << name;
  }
  const Json& chat = document_["components"]["schemas"]["ChatCompletionRequest"]["properties"];
  EXPECT_TRUE(chat.contains("temperature"));
  EXPECT_FALSE(chat.contains("prompt"));
}

void CheckReferences(const Json& node, const Json& document) {
  if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
    const std::string target = node["$ref"];
    ASSERT_EQ(target[0], '#');
    EXPECT_TRUE(document.contains(Json::json_pointer(target.substr(1)))) << target;
  }
  for (const auto& child : node) {
    if (child.is_structured()) CheckReferences(child, document);
  }
}

TEST_F(OpenApiDocumentTest, RefersOnlyToWhatIsThere) {
  EXPECT_EQ(document_["openapi"], "3.1.0");
  EXPECT_EQ(document_["info"]["version"], "1.2.3");
  CheckReferences(document_, document_);
}

TEST(WebAssetTest, AreCarriedInTheProgram) {
  EXPECT_NE(WebAsset("docs.html").find("docs.js"), std::string_view::npos);
  EXPECT_TRUE(WebAsset("secrets").empty());
  EXPECT_EQ(MediaTypeOf("docs.html"), "text/html; charset=utf-8");
  EXPECT_EQ(MediaTypeOf("x"), "application/octet-stream");
}

}  // namespace
}  // namespace baton::frontend
