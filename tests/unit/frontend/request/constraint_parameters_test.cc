#include "frontend/request/constraint_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/request_parser.h"

namespace baton::frontend {
namespace {

using testing::HasSubstr;
using Spec = ConstraintSpec;

absl::StatusOr<std::optional<Spec>> Read(std::string_view fields) {
  const auto parsed = ParseGenerationBody(
      absl::StrCat(R"({"messages":[{"role":"user","content":"x"}],)", std::string(fields), "}"),
      GenerationEndpoint::kChat, ExtraFields::kRefuse);
  if (!parsed.ok()) return parsed.status();
  return ResolveConstraint(parsed->request.constraint_input);
}

void ExpectSpec(std::string_view fields, const Spec& expected) {
  const auto spec = Read(fields);
  ASSERT_TRUE(spec.ok()) << fields << ": " << spec.status();
  ASSERT_TRUE(spec->has_value()) << fields;
  EXPECT_EQ(**spec, expected) << fields;
}

TEST(ConstraintParametersTest, EveryFormIsRead) {
  const Spec schema = Spec::JsonSchema(R"({"b":1,"a":[2]})");
  ExpectSpec(R"("response_format":{"type":"json_schema","json_schema":
                {"name":"n","strict":true,"schema":{"b":1,"a":[2]}}})",
             schema);
  ExpectSpec(R"("response_format":{"type":"json_object"})", Spec::JsonObject());
  ExpectSpec(R"("response_format":{"type":"json_object","schema":{"b":1,"a":[2]}})", schema);
  ExpectSpec(R"("structured_outputs":{"json":{"b":1,"a":[2]}})", schema);
  ExpectSpec(R"("structured_outputs":{"json":"{\"b\":1,\"a\":[2]}"})", schema);
  ExpectSpec(R"("guided_json":{"b":1,"a":[2]})", schema);
  ExpectSpec(R"("json_schema":{"b":1,"a":[2]})", schema);
  ExpectSpec(R"("structured_outputs":{"regex":"a+"})", Spec::Regex("a+"));
  ExpectSpec(R"("guided_regex":"a+")", Spec::Regex("a+"));
  ExpectSpec(R"("structured_outputs":{"choice":["a","b"]})", Spec::Choice({"a", "b"}));
  ExpectSpec(R"("guided_choice":["a","b"])", Spec::Choice({"a", "b"}));
  ExpectSpec(R"("structured_outputs":{"grammar":"root ::= \"a\""})",
             Spec::Grammar("root ::= \"a\""));
  ExpectSpec(R"("grammar":"root ::= \"a\"")", Spec::Grammar("root ::= \"a\""));
  ExpectSpec(R"("structured_outputs":{"json_object":true})", Spec::JsonObject());
  ExpectSpec(R"("structured_outputs":{"structural_tag":"{\"x\":1}"})",
             Spec::StructuralTag(R"({"x":1})"));
  ExpectSpec(R"("response_format":{"type":"structural_tag","format":{}})",
             Spec::StructuralTag(R"({"type":"structural_tag","format":{}})"));
}

TEST(ConstraintParametersTest, LayoutAndPrecedence) {
  Spec spec = Spec::JsonObject();
  spec.layout = {.compact = true, .whitespace_pattern = " ", .closed_objects = true};
  ExpectSpec(R"("structured_outputs":{"json_object":true,"disable_any_whitespace":true,
                "whitespace_pattern":" ","disable_additional_properties":true})",
             spec);
  ExpectSpec(R"("response_format":{"type":"json_object"},"structured_outputs":{"regex":"a"})",
             Spec::JsonObject());
}

TEST(ConstraintParametersTest, NothingIsAskedFor) {
  for (const char* fields :
       {R"("response_format":{"type":"text"})", R"("response_format":null)", R"("grammar":"")",
        R"("structured_outputs":null)", R"("guided_json":null)", R"("guided_json_object":false)"}) {
    const auto spec = Read(fields);
    ASSERT_TRUE(spec.ok()) << fields << ": " << spec.status();
    EXPECT_FALSE(spec->has_value()) << fields;
  }
}

TEST(ConstraintParametersTest, RefusalsNameTheField) {
  const auto refusal = [](std::string_view fields) {
    const auto spec = Read(fields);
    EXPECT_FALSE(spec.ok()) << fields;
    return ToApiError(spec.status());
  };
  const ApiError missing = refusal(R"("response_format":{"type":"json_schema"})");
  EXPECT_EQ(missing.param, "response_format");
  EXPECT_THAT(missing.message, HasSubstr("'json_schema' field must be provided"));
  EXPECT_THAT(refusal(R"("structured_outputs":{})").message, HasSubstr("none are specified"));
  EXPECT_THAT(refusal(R"("structured_outputs":{"regex":"a","choice":["b"]})").message,
              HasSubstr("only use one kind"));
  EXPECT_EQ(refusal(R"("structured_outputs":{"choice":[]})").param, "structured_outputs");
  EXPECT_THAT(refusal(R"("structured_outputs":{"json_object":false})").message,
              HasSubstr("json_object"));
  EXPECT_THAT(refusal(R"("structured_outputs":{"regex":""})").message, HasSubstr("empty"));
  EXPECT_THAT(refusal(R"("response_format":{"type":"yaml"})").message,
              HasSubstr("Input should be"));
  EXPECT_EQ(refusal(R"("structured_outputs":{"regex":5})").param.value_or(""),
            "body.structured_outputs.regex");
}

}  // namespace
}  // namespace baton::frontend
