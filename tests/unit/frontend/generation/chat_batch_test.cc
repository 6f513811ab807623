// Several conversations in one request, with workers that the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "frontend/generation/generation_start.h"
#include "frontend/json/openai_error.h"
#include "frontend/request/batch_body.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* kTwo = R"([[{"role":"user","content":"A"}],[{"role":"user","content":"B"},)"
                             R"({"role":"system","content":"C"}]])";

std::string Padded(std::string body) {
  body.reserve(body.size() + 64);
  return body;
}

class ChatBatchTest : public ApiFixture {
 protected:
  std::shared_ptr<RecordingSink> Post(const std::string& messages, const std::string& fields) {
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest request;
    request.headers = {{"Content-Type", "application/json"}};
    request.request_id = "rid";
    request.body = Padded(R"({"max_tokens":8,"messages":)" + messages + fields + "}");
    const absl::Status status = TryStartBatch(context_, request, sink);
    if (!status.ok()) sink->Respond(ErrorResponse(status));
    return sink;
  }
  // Plays each conversation's answer: its text and its end.
  void Play(const std::vector<std::string>& texts) {
    for (size_t i = 0; i < texts.size(); ++i) {
      fleet_.Place(i, "w");
      fleet_.Accept(i, 1);
    }
    for (size_t i = texts.size(); i-- > 0;) {
      fleet_.Tokens(i, 0, BytesOf(texts[i]), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
    }
  }
  std::string PromptOfCall(size_t call) {
    std::string text;
    for (const uint32_t id : fleet_.calls.at(call).request.tokens().ids()) {
      text += id < 256 ? std::string(1, static_cast<char>(id)) : "|";
    }
    return text;
  }
};

TEST_F(ChatBatchTest, EachConversationIsAChoice) {
  const auto sink = Post(kTwo, R"(,"seed":3,"return_token_ids":true)");
  ASSERT_EQ(fleet_.routes.size(), 2u);
  Play({"first", "second"});
  EXPECT_EQ(PromptOfCall(0), "|user:A||assistant:");
  EXPECT_EQ(PromptOfCall(1), "|user:B||system:C||assistant:");
  EXPECT_EQ(fleet_.calls[1].request.sampling().seed(), 3u);
  const Json answer = Json::parse(sink->response.body);
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["id"], "chatcmpl-rid");
  ASSERT_EQ(answer["choices"].size(), 2u);
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "first");
  EXPECT_EQ(answer["choices"][1]["message"]["content"], "second");
  EXPECT_EQ(answer["choices"][1]["index"], 1);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 19 + 29);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 11);
  EXPECT_TRUE(answer["prompt_token_ids"].is_null());
}

TEST_F(ChatBatchTest, RolesAndEchoesAreEachOnesOwn) {
  const auto sink = Post(kTwo, R"(,"add_generation_prompt":false,"echo":true)");
  Play({"x", "y"});
  const Json choices = Json::parse(sink->response.body)["choices"];
  EXPECT_EQ(choices[0]["message"]["role"], "user");
  EXPECT_EQ(choices[0]["message"]["content"], "Ax");
  EXPECT_EQ(choices[1]["message"]["role"], "system");
  EXPECT_EQ(choices[1]["message"]["content"], "Cy");
}

TEST_F(ChatBatchTest, WhatABatchCannotHaveIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(,"stream":true)", "stream"},
      {R"(,"n":2)", "n"},
      {R"(,"use_beam_search":true)", "use_beam_search"},
      {R"(,"tools":[{"type":"function","function":{"name":"f"}}])", "tools"},
      {R"(,"tool_choice":"auto")", "body.tool_choice"},
      {R"(,"tool_choice":{})", "body.tool_choice"},
      {R"(,"prompt_logprobs":1)", "prompt_logprobs"},
      {R"(,"temperature":-1)", "temperature"},
  };
  for (const auto& [fields, param] : cases) {
    const auto sink = Post(kTwo, fields);
    EXPECT_EQ(sink->response.status, 400) << fields;
    EXPECT_EQ(Json::parse(sink->response.body)["error"]["param"], param) << fields;
  }
  EXPECT_TRUE(fleet_.routes.empty());
  Post(kTwo, R"(,"stream":false,"n":1,"tools":null,"tool_choice":"none","use_beam_search":false)");
  EXPECT_EQ(fleet_.routes.size(), 2u);
}

TEST_F(ChatBatchTest, MessagesAreAListOfConversations) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "body.messages"},
      {"[[]]", "body.messages.0"},
      {R"("x")", "body.messages"},
      {R"([{"role":"user","content":"A"}])", "body.messages.0"},
      {R"([[{"role":"user","content":"A"}],5])", "body.messages.1"},
      {R"([[{"content":"A"}],[{"role":"user","content":"A"}]])", "body.messages.0.0.role"},
      {R"([[{"role":"user","content":"A"}],[{"role":"user","content":[5]}]])",
       "body.messages.1.0.content.0"},
  };
  for (const auto& [messages, param] : cases) {
    const auto sink = Post(messages, "");
    EXPECT_EQ(sink->response.status, 400) << messages;
    EXPECT_EQ(Json::parse(sink->response.body)["error"]["param"], param) << messages;
  }
  EXPECT_FALSE(SplitBatchBody(Padded(R"({"model":"m"})")).ok());
  std::string many = "[";
  for (int i = 0; i < 1025; ++i) {
    many += std::string(i > 0 ? "," : "") + R"([{"role":"user","content":"A"}])";
  }
  EXPECT_THAT(Post(many + "]", "")->response.body, HasSubstr("1024"));
}

TEST_F(ChatBatchTest, OneFailureIsTheAnswer) {
  const auto sink = Post(kTwo, "");
  fleet_.Place(0, "w");
  fleet_.Place(1, "w");
  fleet_.Fail(1, absl::InvalidArgumentError("no"));
  EXPECT_EQ(sink->response.status, 400);
  EXPECT_TRUE(*fleet_.calls[0].cancelled);
}

}  // namespace
}  // namespace baton::frontend
