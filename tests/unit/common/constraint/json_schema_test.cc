#include "common/constraint/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/constraint/constraint_rig.h"

namespace baton {
namespace {

using testing::HasSubstr;

std::string Refusal(std::string_view schema) {
  return std::string(PrepareJsonSchema(schema, {}).status().message());
}

TEST(JsonSchemaTest, UnsupportedKeywordsAreRefusedWithTheirPath) {
  EXPECT_THAT(Refusal(R"({"properties": {"a": {"not": {"type": "null"}}}})"),
              HasSubstr("#/properties/a/not: the keyword 'not' cannot be enforced"));
  EXPECT_THAT(Refusal(R"({"items": {"uniqueItems": true}})"), HasSubstr("#/items/uniqueItems"));
  EXPECT_THAT(Refusal(R"({"anyOf": [{}, {"if": {}, "then": false}]})"), HasSubstr("#/anyOf/1/"));
  EXPECT_THAT(Refusal(R"({"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"contains": {}}}})"),
              HasSubstr("#/$defs/x~1y/contains"));
  EXPECT_THAT(Refusal(R"({"dependencies": {"a": ["b"]}})"), HasSubstr("#/dependencies"));
  EXPECT_THAT(Refusal(R"({"type": "string", "format": "iri"})"), HasSubstr("'iri'"));
  EXPECT_THAT(Refusal(R"({"$schema": "http://json-schema.org/draft-07/schema#",
                          "dependentRequired": {"a": ["b"]}})"),
              HasSubstr("#/dependentRequired"));
}

TEST(JsonSchemaTest, MalformedSchemasAreRefusedWithTheirPath) {
  EXPECT_THAT(Refusal("{"), HasSubstr("JSON schema: parse JSON"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("#: a schema must be an object"));
  EXPECT_THAT(Refusal("false"), HasSubstr("allows nothing"));
  EXPECT_THAT(Refusal(R"({"type": "strin"})"), HasSubstr("#/type"));
  EXPECT_THAT(Refusal(R"({"minLength": -1})"), HasSubstr("#/minLength"));
  EXPECT_THAT(Refusal(R"({"minLength": 1.5})"), HasSubstr("#/minLength"));
  EXPECT_THAT(Refusal(R"({"pattern": ["ü"]})"), HasSubstr("#/pattern"));
  EXPECT_THAT(Refusal(R"({"required": "a"})"), HasSubstr("#/required"));
  EXPECT_THAT(Refusal(R"({"enum": []})"), HasSubstr("#/enum"));
  EXPECT_THAT(Refusal(R"({"properties": []})"), HasSubstr("#/properties"));
  EXPECT_THAT(Refusal(R"({"properties": {"a": 5}})"), HasSubstr("#/properties/a"));
  EXPECT_THAT(Refusal(R"({"$ref": "#/$defs/none"})"), HasSubstr("not there"));
  EXPECT_THAT(Refusal(R"({"$ref": "http://example.com/x"})"), HasSubstr("another document"));
  std::string deep = "{}";
  for (int i = 0; i < 200; ++i) deep = R"({"items":)" + deep + "}";
  EXPECT_THAT(Refusal(deep), HasSubstr("deep"));
}

TEST(JsonSchemaTest, WhatSaysNothingIsDropped) {
  for (const char* schema : {
           R"({"uniqueItems": false})",
           R"({"uniqueItems": true, "maxItems": 1})",
           R"({"unevaluatedProperties": true})",
           R"({"propertyNames": {"type": "string"}})",
           R"({"dependentRequired": {}})",
           R"({"if": {"type": "null"}})",
           R"({"then": false})",
           R"({"minContains": 3})",
           R"({"deprecated": true, "contentSchema": {}, "$comment": "x", "x-order": 1})",
           R"({"minLength": 3.0})",
           R"({"type": "integer", "format": "int32"})",
           R"({"properties": {"not": {}, "if": {}}})",
           R"({"const": {"not": 1}})",
           R"({"$defs": {"unused": {"not": {}}}})",
       }) {
    EXPECT_EQ(Refusal(schema), "") << schema;
  }
}

class CompiledSchemaTest : public testing::Test {
 protected:
  bool Admits(const char* schema, std::string_view text) {
    return rig_.Admits(ConstraintSpec::JsonSchema(schema), text);
  }
  ConstraintRig rig_;
};

TEST_F(CompiledSchemaTest, BranchesBehindReferencesMayExcludeEachOther) {
  const char* const schema = R"({
    "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
    "$defs": {
      "Cat": {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type":
              "integer"}}, "required": ["kind", "lives"], "additionalProperties": false},
      "Dog": {"type": "object", "properties": {"kind": {"const": "dog"}, "friend":
              {"$ref": "#/$defs/Cat"}}, "required": ["kind"], "additionalProperties": false}}})";
  EXPECT_TRUE(Admits(schema, R"({"kind": "cat", "lives": 9})"));
  EXPECT_TRUE(Admits(schema, R"({"kind": "dog", "friend": {"kind": "cat", "lives": 1}})"));
  EXPECT_FALSE(Admits(schema, R"({"kind": "dog", "lives": 9})"));
}

TEST_F(CompiledSchemaTest, RecursionThroughBranchesEnds) {
  const char* const tree = R"({"$ref": "#/$defs/T", "$defs": {"T": {"oneOf": [
      {"type": "null"}, {"$ref": "#/$defs/N"}]}, "N": {"type": "object", "properties":
      {"l": {"$ref": "#/$defs/T"}}, "required": ["l"], "additionalProperties": false}}})";
  EXPECT_TRUE(Admits(tree, "null"));
  EXPECT_TRUE(Admits(tree, R"({"l": {"l": null}})"));
  EXPECT_FALSE(Admits(tree, R"({"l": 1})"));
  EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(R"({"oneOf": [{"$ref": "#"}]})")), "");
}

TEST_F(CompiledSchemaTest, OneOfThatMayOverlapIsRefused) {
  EXPECT_THAT(rig_.Refusal(ConstraintSpec::JsonSchema(
                  R"({"oneOf": [{"type": "integer"}, {"minimum": 2}]})")),
              HasSubstr("oneOf"));
}

TEST_F(CompiledSchemaTest, KeysComeInTheOrderOfTheSchema) {
  const char* const schema = R"({"type": "object", "properties": {"z": {}, "a": {}},
                                 "required": ["z", "a"], "additionalProperties": false})";
  EXPECT_TRUE(Admits(schema, R"({"z": 1, "a": 2})"));
  EXPECT_FALSE(Admits(schema, R"({"a": 2, "z": 1})"));
}

TEST_F(CompiledSchemaTest, ObjectsAreClosedOnDemand) {
  ConstraintSpec spec = ConstraintSpec::JsonSchema(R"({"properties": {"a": {}}})");
  EXPECT_TRUE(rig_.Admits(spec, R"({"a": 1, "b": 2})"));
  spec.layout.closed_objects = true;
  EXPECT_TRUE(rig_.Admits(spec, R"({"a": 1})"));
  EXPECT_FALSE(rig_.Admits(spec, R"({"a": 1, "b": 2})"));
}

TEST_F(CompiledSchemaTest, AnythingGoesUnderTrue) {
  EXPECT_TRUE(Admits("true", "[1, {}]"));
  EXPECT_TRUE(Admits("{}", "\"x\""));
}

}  // namespace
}  // namespace baton
