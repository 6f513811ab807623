#include "frontend/json/own_names.h"

#include <gtest/gtest.h>

#include "common/base/status.h"

namespace baton::frontend {
namespace {

constexpr OwnName kNames[] = {{"response_format.json_schema", "text.format"},
                              {"response_format", "text.format"},
                              {"max_completion_tokens", "max_output_tokens"}};

TEST(OwnNamesTest, FieldsAreCalledAsTheClientCallsThem) {
  const ApiError length = WithOwnNames(
      ToApiError(ParameterError("max_completion_tokens is 9.", "max_completion_tokens", "9")),
      kNames);
  EXPECT_EQ(length.param, "max_output_tokens");
  EXPECT_EQ(length.message, "max_output_tokens is 9. (parameter=max_output_tokens, value=9)");
  const ApiError schema = WithOwnNames(
      ToApiError(SchemaError("Field required", "body.response_format.json_schema.name")), kNames);
  EXPECT_EQ(schema.param, "body.text.format.name");
  EXPECT_EQ(schema.http_status, 400);
  EXPECT_FALSE(WithOwnNames(ToApiError(InvalidArgument("no")), kNames).param.has_value());
}

}  // namespace
}  // namespace baton::frontend
