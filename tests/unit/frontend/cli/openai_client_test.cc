#include "frontend/cli/openai_client.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/unit/frontend/cli/scripted_server.h"

namespace baton::frontend {
namespace {

constexpr char kHello[] =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    ": keep-alive\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\r\n\r\n";
constexpr char kDone[] = "data: [DONE]\n\n";

class OpenAiClientTest : public testing::Test {
 protected:
  absl::StatusOr<OpenAiClient::StreamEnd> Stream(const std::string& url) {
    OpenAiClient client({.base_url = url, .api_key = "key"}, interrupt_);
    return client.Stream("/chat/completions", R"({"a":1})",
                         [this](const ReplyPiece& piece) { text_ += piece.text; });
  }

  InterruptSignal interrupt_;
  std::string text_;
};

TEST_F(OpenAiClientTest, StreamsAReply) {
  ScriptedServer server({EventStream(std::string(kHello) + kDone)});
  const auto end = Stream(server.url() + "/");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, OpenAiClient::StreamEnd::kComplete);
  EXPECT_EQ(text_, "Hello");
  const std::string request = server.requests()[0];
  EXPECT_EQ(request.rfind("POST /v1/chat/completions HTTP/1.1", 0), 0u) << request;
  EXPECT_NE(request.find("Authorization: Bearer key\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("\r\n\r\n{\"a\":1}"), std::string::npos) << request;
}

TEST_F(OpenAiClientTest, AStreamWithoutItsEndIsAnError) {
  ScriptedServer server({EventStream(kHello)});
  const auto end = Stream(server.url());
  EXPECT_EQ(end.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(end.status().message(), "the server ended the reply early");
  EXPECT_EQ(text_, "Hello");
}

TEST_F(OpenAiClientTest, AnErrorInTheStreamIsReported) {
  ScriptedServer server(
      {EventStream(std::string(kHello) + "data: {\"error\":{\"message\":\"worker lost\"}}\n\n")});
  EXPECT_EQ(Stream(server.url()).status().message(), "worker lost");
}

TEST_F(OpenAiClientTest, ErrorsCarryTheServersWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {Answer(404, R"({"error":{"message":"no model gpt-nope","code":404}})"), "no model gpt-nope"},
      {Answer(400, R"({"error":"too\nlong"})"), "too long"},
      {Answer(400, R"({"object":"error","message":"bad"})"), "bad"},
      {Answer(500, R"({"detail":"broken"})"), "broken"},
      {Answer(502, "<html>gateway</html>"), "<html>gateway</html>"}};
  for (const auto& [answer, message] : cases) {
    ScriptedServer server({answer});
    EXPECT_EQ(Stream(server.url()).status().message(), message);
  }
  ScriptedServer missing({Answer(404, "{}")});
  EXPECT_EQ(Stream(missing.url()).status().code(), absl::StatusCode::kNotFound);
  ScriptedServer denied({Answer(401, "{}")});
  EXPECT_EQ(Stream(denied.url()).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(OpenAiClientTest, NothingThereIsOneClearLine) {
  const int port = ListenSocket::Open({.host = "127.0.0.1", .port = 0})->port();
  const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/v1";
  const auto end = Stream(url);
  EXPECT_EQ(end.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(end.status().message().find("cannot reach " + url), 0u) << end.status();
  EXPECT_FALSE(Stream("ftp://127.0.0.1/v1").ok());
  EXPECT_FALSE(Stream("no url at all").ok());
}

TEST_F(OpenAiClientTest, CtrlCStopsTheReply) {
  ScriptedServer server({EventStream(kHello)}, /*hold=*/true);
  OpenAiClient client({.base_url = server.url(), .api_key = "key"}, interrupt_);
  const auto end = client.Stream("/completions", "{}", [this](const ReplyPiece& piece) {
    text_ += piece.text;
    if (text_ == "Hello") kill(getpid(), SIGINT);
  });
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, OpenAiClient::StreamEnd::kInterrupted);
  EXPECT_EQ(text_, "Hello");
}

TEST_F(OpenAiClientTest, FindsTheFirstModel) {
  ScriptedServer server({Answer(200, R"({"object":"list","data":[{"id":"a"},{"id":"b"}]})"),
                         Answer(200, R"({"data":[]})"), Answer(200, "nonsense")});
  OpenAiClient client({.base_url = server.url(), .api_key = "k"}, interrupt_);
  EXPECT_EQ(*client.FirstModel(), "a");
  EXPECT_EQ(client.FirstModel().status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(client.FirstModel().ok());
}

TEST_F(OpenAiClientTest, AKeyCannotAddHeaders) {
  OpenAiClient client({.base_url = "http://127.0.0.1:1", .api_key = "a\r\nX: y"}, interrupt_);
  EXPECT_EQ(client.FirstModel().status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton::frontend
