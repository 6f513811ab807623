#include "common/json/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/status.h"

namespace baton {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJsonTest, ReadsAndWritesADocument) {
  const absl::StatusOr<Json> json = ParseJson(R"({"b":[1,2.5,"x\u00e9"],"a":{"c":null}})");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(SerializeJson(*json), R"({"a":{"c":null},"b":[1,2.5,"xé"]})");
}

TEST(ParseJsonTest, ErrorsSayWhereAndNotWhat) {
  const absl::Status status = ParseJson("{\n  \"secret\": sesame }").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2, column 13"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sesame")));
  for (const char* bad : {"", "{", "[1,]", "{\"a\" 1}", "1 2", "\"\xff\"", "nul", "[1e400]"}) {
    EXPECT_FALSE(ParseJson(bad).ok()) << bad;
  }
}

TEST(ParseJsonTest, DepthAndSizeAreLimited) {
  EXPECT_TRUE(ParseJson(Nested(128)).ok());
  EXPECT_THAT(std::string(ParseJson(Nested(129)).status().message()),
              HasSubstr("nested deeper than 128"));
  EXPECT_FALSE(ParseJson(Nested(1'000'000)).ok());
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
  EXPECT_TRUE(ParseJson("[[],[],[[]]]", {.depth_max = 3}).ok());
  EXPECT_FALSE(ParseJson("[[],[],[[[]]]]", {.depth_max = 3}).ok());
  EXPECT_THAT(std::string(ParseJson("[1234]", {.bytes_max = 5}).status().message()),
              HasSubstr("6 bytes, limit 5"));
}

TEST(SerializeJsonTest, InvalidUtf8IsReplaced) {
  EXPECT_EQ(QuoteJson("a\"\n\xff"), "\"a\\\"\\n\xef\xbf\xbd\"");
}

TEST(JsonMembersTest, TypedAccess) {
  const Json json =
      ParseJson(
          R"({"i":3,"f":3.0,"d":0.5,"s":"x","t":true,"n":null,"a":[1],"o":{"k":1},"big":18446744073709551615})")
          .value();
  EXPECT_EQ(*GetInt(json, "i"), 3);
  EXPECT_EQ(*GetInt(json, "f"), 3);
  EXPECT_EQ(*GetDouble(json, "i"), 3.0);
  EXPECT_EQ(*GetDouble(json, "d"), 0.5);
  EXPECT_EQ(*GetString(json, "s"), "x");
  EXPECT_EQ(*GetBool(json, "t"), true);
  EXPECT_EQ((*GetArray(json, "a"))->size(), 1u);
  EXPECT_EQ(*GetInt(**GetObject(json, "o"), "k"), 1);
  EXPECT_EQ(*FindInt(json, "n"), std::nullopt);
  EXPECT_EQ(*FindString(json, "absent"), std::nullopt);
  EXPECT_EQ(*FindArray(json, "absent"), nullptr);
}

TEST(JsonMembersTest, ErrorsNameTheField) {
  const Json json = ParseJson(R"({"s":"x","d":0.5,"big":18446744073709551615})").value();
  for (const absl::Status& status :
       {GetInt(json, "s").status(), GetInt(json, "d").status(), GetInt(json, "big").status(),
        GetInt(json, "none").status(), GetString(json, "d").status(), GetBool(json, "s").status(),
        GetDouble(json, "s").status(), GetArray(json, "s").status(),
        GetObject(json, "none").status(), FindObject(json, "s").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(Field(status).has_value()) << status;
  }
  EXPECT_FALSE(GetInt(Json(3), "x").ok());
}

}  // namespace
}  // namespace baton
