#include "frontend/request/token_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "frontend/json/json_body.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;

// What a body's "content" reads as; nullopt where it breaks the schema.
std::optional<PromptInput> Read(const std::string& json, std::string* param = nullptr) {
  std::optional<PromptInput> prompt;
  SchemaProblems problems;
  const std::string body = "{\"content\":" + json + "}";
  const auto count = VisitBody(body, problems, [&](std::string_view, const JsonField& field) {
    prompt = ReadMixedPrompt(field);
  });
  EXPECT_TRUE(count.ok()) << count.status();
  if (param != nullptr) *param = Field(problems.ToStatus()).value_or("");
  return prompt;
}

TEST(TokenPiecesTest, PromptsMayMixTextAndTokens) {
  const auto model = MakeByteModel();
  const auto encode = [&](const std::string& json) {
    return EncodeMixedPrompt(*Read(json), *model->tokenizer, {});
  };
  EXPECT_THAT(*encode(R"("ab")"), ElementsAre('a', 'b'));
  EXPECT_THAT(*encode(R"([1,"a",2,3,"<|end|>"])"), ElementsAre(1, 'a', 2, 3, kByteEos));
  EXPECT_TRUE(encode("[]")->empty());
  EXPECT_TRUE(absl::IsInvalidArgument(encode("[99999]").status()));
}

TEST(TokenPiecesTest, WhatIsNeitherIsAProblemAtItsPlace) {
  std::string param;
  EXPECT_FALSE(Read("5", &param).has_value());
  EXPECT_EQ(param, "body.content");
  EXPECT_FALSE(Read(R"(["a",{"b":1}])", &param).has_value());
  EXPECT_EQ(param, "body.content.1");
  EXPECT_FALSE(Read("[-1]", &param).has_value());
  EXPECT_EQ(param, "body.content.0");
}

TEST(TokenPiecesTest, APieceThatIsNoTextIsItsBytes) {
  std::string json;
  AppendTokenPieces(*MakeByteModel()->tokenizer, std::vector<TokenId>{'a', 0xC3, kByteEos}, &json);
  EXPECT_EQ(json,
            R"([{"id":97,"piece":"a"},{"id":195,"piece":[195]},{"id":256,"piece":"<|end|>"}])");
}

}  // namespace
}  // namespace baton::frontend
