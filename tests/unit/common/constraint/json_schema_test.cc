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
  EXPECT_THAT(Refusal(R"({"properties": {"a": {"not": {"minimum": 1}}}})"),
              HasSubstr("#/properties/a/not: the keyword 'not' cannot be enforced"));
  EXPECT_THAT(Refusal(R"({"items": {"uniqueItems": true}})"), HasSubstr("#/items/uniqueItems"));
  EXPECT_THAT(Refusal(R"({"anyOf": [{}, {"if": {"minimum": 1}, "then": false}]})"),
              HasSubstr("#/anyOf/1/"));
  EXPECT_THAT(Refusal(R"({"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"contains": {}}}})"),
              HasSubstr("#/$defs/x~1y/contains"));
  EXPECT_THAT(Refusal(R"({"type": "string", "format": "iri"})"), HasSubstr("'iri'"));
  EXPECT_THAT(Refusal(R"({"$schema": "http://json-schema.org/draft-07/schema#",
                          "propertyNames": {"minLength": 2}})"),
              HasSubstr("#/propertyNames"));
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
  bool Admits(const std::string& schema, std::string_view text) {
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

// Each was a way to make the search for the refused part throw.
TEST_F(CompiledSchemaTest, ReferencesThatAreNoPointersAreNotFollowed) {
  for (const char* schema : {
           R"({"$defs": {"a~b": {}}, "$ref": "#/$defs/a~b",
               "oneOf": [{"type": "integer"}, {"type": "number"}]})",
           R"({"id": "x", "allOf": [{"$ref": "#/allOf/99999999999999999999999"}],
               "oneOf": [{"type": "integer"}, {"type": "number"}]})",
       }) {
    EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(schema)), "") << schema;
  }
}

// Comparing them in every way would take 2^15 steps a pair.
TEST_F(CompiledSchemaTest, BranchesAreComparedWithinBounds) {
  std::string deep = R"({"type": "integer"})";
  for (int i = 0; i < 15; ++i) {
    deep = R"({"type": "object", "required": ["x"], "properties": {"x": )" + deep + "}}";
  }
  std::string branches;
  for (int i = 0; i < 40; ++i) {
    branches += (i == 0 ? "" : ",");
    branches += R"({"type": "object", "required": ["x", "k"], "properties": {"x": )" + deep +
                R"(, "k": {"minimum": )" + std::to_string(i) + "}}}";
  }
  EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(R"({"oneOf": [)" + branches + "]}")), "");
}

TEST_F(CompiledSchemaTest, BranchesThatExcludeEachOtherAreAlternatives) {
  const char* const titled = R"({"oneOf": [{"const": 1, "title": "One"}, {"const": "x"}]})";
  EXPECT_TRUE(Admits(titled, "1"));
  EXPECT_TRUE(Admits(titled, R"("x")"));
  EXPECT_FALSE(Admits(titled, "2"));
  const char* const ranges = R"({"oneOf": [{"type": "integer", "minimum": 0, "exclusiveMaximum": 3},
      {"type": "integer", "minimum": 3, "maximum": 5}, {"type": "string", "maxLength": 2},
      {"type": "string", "minLength": 4}], "anyOf": [{"type": "integer", "maximum": 4},
      {"type": "string"}]})";
  EXPECT_TRUE(Admits(ranges, "2"));
  EXPECT_TRUE(Admits(ranges, "4"));
  EXPECT_FALSE(Admits(ranges, "5"));
  EXPECT_TRUE(Admits(ranges, R"("abcd")"));
  EXPECT_FALSE(Admits(ranges, R"("abc")"));
  const char* const closed = R"({"oneOf": [
      {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
      {"type": "object", "properties": {"b": {"type": "integer"}}, "additionalProperties": false}]})";
  EXPECT_TRUE(Admits(closed, R"({"a": 1, "b": 2})"));
  EXPECT_TRUE(Admits(closed, R"({})"));
  EXPECT_FALSE(Admits(closed, R"({"b": "2"})"));
  for (const char* overlap : {
           R"({"oneOf": [{"const": 1}, {"enum": [1.0, 2]}]})",
           R"({"oneOf": [{"type": "number", "maximum": 3}, {"type": "integer", "minimum": 3}]})",
           R"({"oneOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 3}]})",
           R"({"oneOf": [{"type": "object", "properties": {"a": {"const": 1}}},
                         {"type": "object", "properties": {"b": {"const": 1}}}]})",
       }) {
    EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(overlap)), "") << overlap;
  }
}

TEST_F(CompiledSchemaTest, OneOfSeveralPropertiesMayBeRequired) {
  const char* const schema = R"({"type": "object", "properties": {"mail": {"type": "integer"},
      "phone": {"type": "integer"}, "age": {"type": "integer"}}, "additionalProperties": false,
      "oneOf": [{"required": ["mail"]}, {"required": ["phone"]}]})";
  EXPECT_TRUE(Admits(schema, R"({"mail": 1, "age": 3})"));
  EXPECT_TRUE(Admits(schema, R"({"phone": 1})"));
  EXPECT_FALSE(Admits(schema, R"({"mail": 1, "phone": 2})"));
  EXPECT_FALSE(Admits(schema, R"({"age": 3})"));
}

TEST_F(CompiledSchemaTest, AtLeastOnePropertyIsCounted) {
  const std::string closed = R"({"type": "object", "properties": {"a": {"type": "integer"},
      "b": {"type": "integer"}}, "additionalProperties": false, "maxProperties": 2)";
  EXPECT_TRUE(Admits(closed + R"(, "minProperties": 1})", R"({"b": 1})"));
  EXPECT_TRUE(Admits(closed + R"(, "minProperties": 1})", R"({"a": 1, "b": 1})"));
  EXPECT_FALSE(Admits(closed + R"(, "minProperties": 1})", "{}"));
  EXPECT_TRUE(Admits(closed + R"(, "minProperties": 1, "required": ["a"]})", R"({"a": 1})"));
  EXPECT_FALSE(Admits(closed + R"(, "minProperties": 1, "required": ["a"]})", R"({"b": 1})"));
  EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(closed + R"(, "minProperties": 2})")), "");
}

TEST_F(CompiledSchemaTest, WhatTheEngineObjectsToHasAPlace) {
  const auto refusal = [this](const char* schema) {
    return rig_.Refusal(ConstraintSpec::JsonSchema(schema));
  };
  EXPECT_THAT(refusal(R"({"type": "object", "properties": {"a/b": {"type": "array", "items":
                          {"type": "string", "maxLength": 9, "pattern": "(?=x)y"}}}})"),
              HasSubstr("#/properties/a~1b/items/pattern: regex parse error"));
  EXPECT_THAT(refusal(R"({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/N"}], "$defs": {"N":
                          {"properties": {"next": {"$ref": "#/$defs/N"}, "v": {"oneOf":
                          [{"type": "integer"}, {"minimum": 2}]}}}}})"),
              HasSubstr("#/$defs/N/properties/v/oneOf: its branches"));
  EXPECT_THAT(refusal(R"({"type": "object", "minProperties": 2, "properties": {"a": {}}})"),
              HasSubstr("#/minProperties: "));
  EXPECT_THAT(refusal(R"({"type": "integer", "minimum": 5, "maximum": 2})"),
              HasSubstr("#/minimum: "));
  ConstraintSpec behind = ConstraintSpec::JsonSchema(R"({"items": {"pattern": "\\b"}})");
  behind.start_after_text = "</think>";
  EXPECT_THAT(rig_.Refusal(behind), HasSubstr("#/items/pattern: "));
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

TEST_F(CompiledSchemaTest, ConstantsTellBranchesApartEvenWhereTheyAreOptional) {
  const char* const schema = R"({"oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
    "$defs": {"Cat": {"type": "object", "properties": {"kind": {"const": "cat", "default": "cat"}}},
              "Dog": {"type": "object", "properties": {"kind": {"const": "dog"}, "age": {"type":
              "integer"}}}}})";
  EXPECT_TRUE(Admits(schema, R"({"kind": "cat"})"));
  EXPECT_TRUE(Admits(schema, R"({"kind": "dog", "age": 3})"));
  EXPECT_FALSE(Admits(schema, R"({"age": 3})")) << "fits both";
  EXPECT_FALSE(Admits(schema, R"({"kind": "dog", "age": "3"})"));
}

TEST_F(CompiledSchemaTest, ConditionsOnValuesAreAlternatives) {
  for (const char* draft : {"http://json-schema.org/draft-07/schema#",
                            "https://json-schema.org/draft/2020-12/schema"}) {
    const std::string schema = std::string(R"({"$schema": ")") + draft + R"(", "type": "object",
        "properties": {"country": {"enum": ["US", "NL"]}, "zip": {"type": "string"}},
        "required": ["country"], "additionalProperties": false,
        "if": {"properties": {"country": {"const": "US"}}},
        "then": {"properties": {"zip": {"pattern": "^[0-9]{5}$"}}},
        "else": {"required": ["zip"]}})";
    EXPECT_TRUE(Admits(schema.c_str(), R"({"country": "US"})"));
    EXPECT_TRUE(Admits(schema.c_str(), R"({"country": "US", "zip": "12345"})"));
    EXPECT_FALSE(Admits(schema.c_str(), R"({"country": "US", "zip": "1234 AB"})"));
    EXPECT_FALSE(Admits(schema.c_str(), R"({"country": "NL"})"));
    EXPECT_TRUE(Admits(schema.c_str(), R"({"country": "NL", "zip": "1234 AB"})"));
  }
}

TEST_F(CompiledSchemaTest, BoundsAreExactOrRefused) {
  EXPECT_TRUE(Admits(R"({"type": "integer", "minimum": 9007199254740992})", "9007199254740993"));
  for (const char* bound : {"100000000000000000000", "-1e19", "9007199254740993", "1e300"}) {
    for (const char* keyword : {"minimum", "maximum", "exclusiveMinimum", "multipleOf"}) {
      const std::string schema = std::string(R"({"type": "integer", ")") + keyword + "\": " + bound;
      EXPECT_THAT(Refusal(schema + "}"), HasSubstr(std::string("#/") + keyword)) << schema;
    }
  }
}

TEST_F(CompiledSchemaTest, BoundsThatAreExcludedStayOut) {
  const char* const low = R"({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5})";
  const char* const draft4 =
      R"({"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 0.5})";
  const char* const joined =
      R"({"type": "number", "allOf": [{"exclusiveMinimum": 0}, {"exclusiveMaximum": 0.6}]})";
  for (const char* schema : {low, draft4, joined}) {
    EXPECT_TRUE(Admits(schema, "0.5")) << schema;
    EXPECT_TRUE(Admits(schema, "0.000001")) << schema;
    for (const char* out : {"0", "-0", "0.0", "0.00", "-0.1", "0.6", "1"}) {
      EXPECT_FALSE(Admits(schema, out)) << schema << " " << out;
    }
  }
  EXPECT_FALSE(Admits(R"({"exclusiveMinimum": 1, "maximum": 1.25})", "1"));
  EXPECT_FALSE(Admits(R"({"minimum": -0.25, "exclusiveMaximum": 0})", "-0"));
  EXPECT_TRUE(Admits(R"({"minimum": -0.25, "exclusiveMaximum": 0})", "-0.25"));
  const char* const open = R"({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})";
  EXPECT_TRUE(Admits(open, "0.999"));
  EXPECT_FALSE(Admits(open, "1"));
  EXPECT_TRUE(Admits(R"({"type": "integer", "exclusiveMinimum": 0})", "1"));
}

TEST_F(CompiledSchemaTest, SmallSetsAreSpelledOut) {
  for (const char* draft : {"http://json-schema.org/draft-07/schema#",
                            "https://json-schema.org/draft/2020-12/schema"}) {
    const std::string schema = std::string(R"({"$schema": ")") + draft + R"(", "type": "array",
        "uniqueItems": true, "minItems": 1, "items": {"$ref": "#/$defs/C"},
        "$defs": {"C": {"enum": ["r", "g", "b"]}}})";
    EXPECT_TRUE(Admits(schema.c_str(), R"(["g"])"));
    EXPECT_TRUE(Admits(schema.c_str(), R"(["b", "r", "g"])"));
    EXPECT_FALSE(Admits(schema.c_str(), R"(["r", "r"])"));
    EXPECT_FALSE(Admits(schema.c_str(), R"([])"));
    EXPECT_FALSE(Admits(schema.c_str(), R"(["x"])"));
    EXPECT_FALSE(Admits(schema.c_str(), R"(["r", "g", "b", "r"])"));
  }
}

TEST_F(CompiledSchemaTest, WhatHasBeenSaidTwiceStaysForbidden) {
  // Values listed twice, of which only one list is looked at.
  EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(R"({"anyOf": [{"type": "null"},
      {"const": "a", "enum": ["b"], "not": {"const": "b"}}]})")),
            "");
  EXPECT_NE(rig_.Refusal(ConstraintSpec::JsonSchema(R"({"type": "array", "uniqueItems": true,
      "items": {"enum": ["a", "bb"], "maxLength": 1}})")),
            "");
  const char* const names = R"({"type": "object", "propertyNames": {"$ref": "#/$defs/N"},
      "additionalProperties": {"type": "integer"}, "$defs": {"N": {"enum": ["a", "b"]}}})";
  EXPECT_TRUE(Admits(names, R"({"b": 1})"));
  EXPECT_FALSE(Admits(names, R"({"c": 1})"));
  EXPECT_FALSE(Admits(names, R"({"a": "1"})"));
}

TEST_F(CompiledSchemaTest, PartsWithIdentitiesHideNothing) {
  // What an anchor names, and what a path in a part with an identity names, is looked at.
  EXPECT_THAT(Refusal(R"({"$ref": "#here", "properties": {"a": {"$defs": {"z":
                          {"$anchor": "here", "contains": {}}}}}})"),
              HasSubstr("contains"));
  EXPECT_THAT(Refusal(R"({"$id": "http://x/root", "$ref": "http://x/b", "$defs": {"a": {},
                          "b": {"$id": "http://x/b", "$ref": "#/$defs/a",
                                "$defs": {"a": {"contains": {}}}}}})"),
              HasSubstr("contains"));
  EXPECT_THAT(Refusal(R"({"\u0024id": "http://x/root", "$ref": "http://x/root#/mine",
                          "mine": {"contains": {}}})"),
              HasSubstr("#/$ref"));
}

TEST_F(CompiledSchemaTest, WhatTheEngineWouldTakeMinutesOverIsRefused) {
  std::string patterns = R"({"type": "object", "patternProperties": {)";
  for (int i = 0; i < 500; ++i) {
    patterns += (i > 0 ? "," : "") + ("\"^x" + std::to_string(i)) + "_[a-z]+$\": {}";
  }
  EXPECT_THAT(Refusal(patterns + "}}"), HasSubstr("#/patternProperties: too many"));
  std::string joined = R"({"type": "string", "allOf": [)";
  for (int i = 1; i < 40; ++i) {
    joined += (i > 1 ? "," : "") + (R"({"pattern": "a.{)" + std::to_string(i)) + R"(}b"})";
  }
  EXPECT_THAT(Refusal(joined + "]}"), HasSubstr("#: joins more than"));
  std::string doubling = R"({"$ref": "#/$defs/0", "$defs": {"60": {"pattern": "a"})";
  for (int i = 0; i < 60; ++i) {
    const std::string next = R"({"$ref": "#/$defs/)" + std::to_string(i + 1) + "\"}";
    doubling += ",\"" + std::to_string(i) + R"(": {"allOf": [)" + next + "," + next +
                R"(], "unevaluatedProperties": false})";
  }
  EXPECT_NE(Refusal(doubling + "}}"), "");
}

TEST_F(CompiledSchemaTest, ObjectsMayHaveThousandsOfPropertiesThatMayBeMissing) {
  const auto object = [](int count) {
    std::string schema = R"({"additionalProperties": false, "properties": {)";
    for (int i = 0; i < count; ++i) {
      schema += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"type":"integer"})";
    }
    return schema + "}}";
  };
  EXPECT_TRUE(Admits(object(2000), R"({"1": 1, "3": 3, "1999": 5})"));
  EXPECT_FALSE(Admits(object(2000), R"({"1": 1, "3": 3, "2000": 5})"));
  EXPECT_THAT(Refusal(object(2501)), HasSubstr("#/properties: has more than 2500"));
}

TEST_F(CompiledSchemaTest, AnythingGoesUnderTrue) {
  EXPECT_TRUE(Admits("true", "[1, {}]"));
  EXPECT_TRUE(Admits("{}", "\"x\""));
}

}  // namespace
}  // namespace baton
