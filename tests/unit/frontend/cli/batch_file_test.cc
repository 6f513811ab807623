#include "frontend/cli/batch_file.h"

#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace baton::frontend {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

std::string Line(const std::string& url, const std::string& body) {
  return R"({"custom_id":"a","method":"POST","url":")" + url + R"(","body":)" + body + "}";
}

TEST(BatchFileTest, LinesWithoutAWordDoNotCount) {
  const auto batch = ParseBatch("\n" + Line("/v1/completions", R"({"prompt":"x"})") + "\r\n \n" +
                                Line("/v1/chat/completions", "{}"));
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ((*batch)[0].path, "/completions");
  EXPECT_EQ((*batch)[0].body, R"({"prompt":"x"})");
  EXPECT_EQ((*batch)[1].path, "/chat/completions");
  EXPECT_TRUE(ParseBatch("")->empty());
}

TEST(BatchFileTest, ALineThatIsNoRequestIsNamed) {
  const std::string good = Line("/v1/completions", "{}") + "\n";
  for (const char* bad : {"x", "[]", R"({"custom_id":1})", R"({"custom_id":"a","method":"POST"})",
                          R"({"custom_id":"a","method":"POST","url":"/x","body":[]})"}) {
    const auto batch = ParseBatch(good + bad);
    EXPECT_TRUE(absl::IsInvalidArgument(batch.status())) << bad;
    EXPECT_THAT(batch.status().message(), HasSubstr("line 2")) << bad;
  }
}

TEST(BatchFileTest, WhatNobodyIsAskedIsAnswered) {
  const auto refusal = [](const std::string& url, const std::string& body) {
    return ParseBatch(Line(url, body))->front().refusal.value_or("none");
  };
  EXPECT_EQ(refusal("/v1/chat/completions", R"({"stream":false})"), "none");
  EXPECT_THAT(refusal("/v1/chat/completions", R"({"stream":true})"), HasSubstr("stream mode"));
  EXPECT_THAT(refusal("/v2/rerank", "{}"), HasSubstr("Model does not support endpoint: /v2/"));
  EXPECT_THAT(refusal("/v1/models", "{}"), HasSubstr("URL /v1/models was used."));
}

TEST(BatchFileTest, AnswersKeepTheShapeOfBatches) {
  const BatchRequest request{
      .custom_id = "me", .path = "/completions", .body = "{}", .refusal = {}};
  const auto line = [&](const BatchAnswer& answer) {
    return Json::parse(BatchLine(request, answer));
  };
  const Json good = line({200, R"({"x":1})"});
  EXPECT_EQ(good["custom_id"], "me");
  EXPECT_EQ(good["response"]["body"], Json({{"x", 1}}));
  EXPECT_TRUE(good["error"].is_null());
  const Json bad = line({404, R"({"error":{"code":404}})"});
  EXPECT_EQ(bad["response"]["status_code"], 404);
  EXPECT_TRUE(bad["response"]["body"].is_null());
  EXPECT_EQ(bad["error"]["error"]["code"], 404);
  EXPECT_EQ(line({502, "<html>"})["error"], "<html>");
  const Json none = line({0, "no connection"});
  EXPECT_TRUE(none["response"].is_null());
  EXPECT_EQ(none["error"], "no connection");
}

}  // namespace
}  // namespace baton::frontend
