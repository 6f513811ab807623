#include "frontend/tools/tool_set.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "frontend/tools/json_schema.h"

namespace baton::frontend {
namespace {

using Json = nlohmann::ordered_json;

std::string ToolWith(const std::string& parameters) {
  return R"([{"type":"function","function":{"name":"f","parameters":)" + parameters + "}}]";
}

TEST(ToolSet, NamesThePathOfWhatIsWrong) {
  const std::pair<std::string, std::string> wrong[] = {
      {R"({"type":"nonsense"})", "tools[0].function.parameters.type: `nonsense` is not a type"},
      {R"({"properties":{"a":{"type":"strnig"}}})",
       "tools[0].function.parameters.properties.a.type: `strnig`"},
      {R"({"properties":[]})", "tools[0].function.parameters.properties:"},
      {R"({"properties":{"a":3}})", "tools[0].function.parameters.properties.a:"},
      {R"({"required":"a"})", "tools[0].function.parameters.required:"},
      {R"({"properties":{"a":{"items":{"anyOf":[]}}}})",
       "tools[0].function.parameters.properties.a.items.anyOf:"},
      {R"({"type":"string"})", "tools[0].function.parameters.type: arguments are an object"},
      {R"("x")", "tools[0].function.parameters"},
  };
  for (const auto& [parameters, message] : wrong) {
    const auto tools = ToolSet::Parse(ToolWith(parameters));
    ASSERT_FALSE(tools.ok()) << parameters;
    EXPECT_EQ(std::string(tools.status().message()).find(message), 0U) << tools.status();
  }
  EXPECT_FALSE(ToolSet::Parse(R"([{"type":"function","function":{"name":""}}])").ok());
  EXPECT_FALSE(ToolSet::Parse(R"([{"type":"function","function":{"name":"a b"}}])").ok());
  EXPECT_FALSE(ToolSet::Parse(R"([{"type":"function"}])").ok());
}

TEST(ToolSet, GivesToolsWithoutParametersAnEmptyObject) {
  for (const std::string& parameters : {std::string("null"), std::string("{}"),
                                        std::string(R"({"type":"object","properties":{}})")}) {
    const auto tools = ToolSet::Parse(ToolWith(parameters));
    ASSERT_TRUE(tools.ok());
    EXPECT_TRUE(tools->Accepts("f", "{}"));
    EXPECT_FALSE(tools->Accepts("f", R"({"a":1})"));
    EXPECT_TRUE(tools->tools()[0].takes_nothing);
  }
}

TEST(ToolSet, TurnsTextIntoWhatTheToolTakes) {
  const ToolSet tools = *ToolSet::Parse(ToolWith(
      R"({"properties":{"s":{"type":"string"},"i":{"type":"integer"},"n":{"type":"number"},
          "b":{"type":"boolean"},"o":{"type":"object"},"a":{"type":"array"},
          "sn":{"type":["string","null"]},"e":{"enum":[1,2]},
          "r":{"$ref":"#/$defs/count"},"any":{"anyOf":[{"type":"integer"},{"type":"string"}]}},
          "$defs":{"count":{"type":"integer"}}})"));
  const auto value = [&](const char* key, const char* text) {
    return tools.ValueJson("f", key, text);
  };
  EXPECT_EQ(value("s", "12"), "\"12\"");
  EXPECT_EQ(value("i", " 12\n"), "12");
  EXPECT_EQ(value("i", "12.0"), "12");
  EXPECT_EQ(value("i", "twelve"), "\"twelve\"");
  EXPECT_EQ(value("n", "1.50"), "1.5");
  EXPECT_EQ(value("b", "True"), "true");
  EXPECT_EQ(value("b", "0"), "false");
  EXPECT_EQ(value("o", "{\"x\": [1]}"), "{\"x\":[1]}");
  EXPECT_EQ(value("a", "[1, 2"), "\"[1, 2\"");
  EXPECT_EQ(value("sn", "null"), "null");
  EXPECT_EQ(value("sn", "x"), "\"x\"");
  EXPECT_EQ(value("e", "2"), "2");
  EXPECT_EQ(value("r", "7"), "7");
  EXPECT_EQ(value("any", "7"), "7");
  EXPECT_EQ(value("any", "seven"), "\"seven\"");
  EXPECT_EQ(value("unknown", "7"), "\"7\"");
  EXPECT_TRUE(tools.TakesText("f", "s"));
  EXPECT_FALSE(tools.TakesText("f", "sn"));
  EXPECT_TRUE(tools.TakesText("g", "i"));
}

bool Accepts(const char* schema, const char* value) {
  const Json parsed = Json::parse(schema);
  return SchemaAccepts(parsed, Json::parse(value), parsed);
}

TEST(JsonSchema, KnowsWhatFits) {
  EXPECT_TRUE(
      Accepts(R"({"required":["a"],"properties":{"a":{"type":"integer"}}})", R"({"a":1.0})"));
  EXPECT_FALSE(Accepts(R"({"required":["a"]})", R"({"b":1})"));
  EXPECT_FALSE(Accepts(R"({"properties":{"a":{"type":"integer"}}})", R"({"a":"1"})"));
  EXPECT_FALSE(Accepts(R"({"properties":{},"additionalProperties":false})", R"({"a":1})"));
  EXPECT_TRUE(Accepts(R"({"enum":["x",2]})", "2"));
  EXPECT_FALSE(Accepts(R"({"enum":["x",2]})", "3"));
  EXPECT_FALSE(Accepts(R"({"items":{"type":"string"}})", R"(["a",1])"));
  EXPECT_TRUE(Accepts(R"({"anyOf":[{"type":"string"},{"minimum":3}]})", "4"));
  EXPECT_FALSE(Accepts(R"({"oneOf":[{"type":"number"},{"minimum":3}]})", "4"));
  EXPECT_FALSE(Accepts(R"({"not":{"type":"string"}})", "\"a\""));
  EXPECT_FALSE(Accepts(R"({"maxLength":1})", "\"éé\""));
  EXPECT_TRUE(Accepts(R"({"maxLength":2})", "\"éé\""));
  EXPECT_FALSE(Accepts(R"({"exclusiveMaximum":3})", "3"));
  EXPECT_FALSE(Accepts("false", "3"));
  EXPECT_FALSE(Accepts(R"({"$ref":"#"})", "3"));  // a reference to itself never says yes
  EXPECT_TRUE(Accepts(R"({"type":"object","properties":{"n":{"$ref":"#"}}})", R"({"n":{"n":{}}})"));
  EXPECT_FALSE(Accepts(R"({"type":"object","properties":{"n":{"$ref":"#"}}})", R"({"n":{"n":1}})"));
}

}  // namespace
}  // namespace baton::frontend
