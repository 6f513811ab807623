// The whole frontend in this process, between real sockets and real gRPC: clients are raw HTTP,
// router and workers are fakes whose text follows a formula.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "common/config/config_source.h"
#include "frontend/app.h"
#include "tests/fakes/fake_backend.h"

namespace baton::frontend {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using Json = nlohmann::json;

struct Fetched {
  int status = 0;
  std::string head;
  std::string body;  // chunks joined
};

class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(const std::string& method, const std::string& path, const std::string& body,
            const std::string& headers = "") {
    const std::string request = method + " " + path + " HTTP/1.1\r\nHost: x\r\n" +
                                "Content-Type: application/json\r\nConnection: close\r\n" +
                                headers + "Content-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    if (connected_) (void)!write(fd_, request.data(), request.size());
  }

  // Whatever comes until the server closes, as it is.
  std::string ReceiveRest() {
    std::string bytes;
    char chunk[4096];
    ssize_t got = 0;
    while ((got = read(fd_, chunk, sizeof chunk)) > 0)
      bytes.append(chunk, static_cast<size_t>(got));
    return bytes;
  }

  // Reads until the server closes, or until `until` has come.
  Fetched Receive(const std::string& until = "") {
    std::string bytes;
    char chunk[4096];
    while (until.empty() || bytes.find(until) == std::string::npos) {
      const ssize_t got = read(fd_, chunk, sizeof chunk);
      if (got <= 0) break;
      bytes.append(chunk, static_cast<size_t>(got));
    }
    Fetched fetched;
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return fetched;
    fetched.status = std::stoi(bytes.substr(9, 3));
    fetched.head = bytes.substr(0, end);
    fetched.body = bytes.substr(end + 4);
    if (fetched.head.find("chunked") != std::string::npos) fetched.body = Unchunk(fetched.body);
    return fetched;
  }

 private:
  static std::string Unchunk(const std::string& text) {
    std::string body;
    size_t at = 0;
    while (at < text.size()) {
      const size_t line = text.find("\r\n", at);
      if (line == std::string::npos) break;
      const size_t length = std::stoul(text.substr(at, line - at), nullptr, 16);
      if (length == 0) break;
      body += text.substr(line + 2, length);
      at = line + 2 + length + 2;
    }
    return body;
  }

  const int fd_;
  bool connected_ = false;
};

class FrontendAppTest : public ::testing::Test {
 protected:
  void Start(FrontendConfig config = {}) {
    config.routers = {router_.address()};
    config.host = "127.0.0.1";
    config.port = 0;
    config.admin_listen = "127.0.0.1:0";
    auto app = FrontendApp::Start(config, RealClock());
    ASSERT_TRUE(app.ok()) << app.status();
    app_ = *std::move(app);
    for (int i = 0; i < 5000; ++i) {
      if (Get("/readyz").status == 200) return;
    }
    FAIL() << "never ready";
  }

  Fetched Get(const std::string& path) { return Ask("GET", path, ""); }
  Fetched Ask(const std::string& method, const std::string& path, const std::string& body,
              const std::string& headers = "") {
    Client client(app_->port());
    client.Send(method, path, body, headers);
    return client.Receive();
  }
  Fetched Chat(const std::string& fields) {
    return Ask(
        "POST", "/v1/chat/completions",
        R"({"messages":[{"role":"user","content":"Hi"}],"seed":3,"max_tokens":20)" + fields + "}");
  }

  // The text of all deltas of choice 0.
  static std::string TextOf(const std::string& events) {
    std::string text;
    for (size_t at = events.find("data: {"); at != std::string::npos;
         at = events.find("data: {", at + 1)) {
      const Json chunk = Json::parse(events.substr(at + 6, events.find('\n', at) - at - 6));
      if (!chunk.contains("choices") || chunk["choices"].empty()) continue;
      text += chunk["choices"][0]["delta"].value("content", "");
    }
    return text;
  }

  FakeWorker a_{"a"};
  FakeWorker b_{"b"};
  FakeRouter router_{{&a_, &b_}};
  std::unique_ptr<FrontendApp> app_;
};

TEST_F(FrontendAppTest, AnswersTheWholeApi) {
  Start();
  EXPECT_EQ(Get("/health").status, 200);
  EXPECT_EQ(Get("/livez").status, 200);
  EXPECT_EQ(Get("/startupz").status, 200);
  EXPECT_THAT(Get("/version").body, HasSubstr("\"version\""));
  const Json models = Json::parse(Get("/v1/models").body);
  EXPECT_EQ(models["data"][0]["id"], "byte-model");
  EXPECT_EQ(models["data"][0]["max_model_len"], 1024);
  EXPECT_EQ(Get("/v1/models/byte-model").status, 200);
  EXPECT_EQ(Get("/v1/models/other").status, 404);

  const Json chat = Json::parse(Chat("").body);
  EXPECT_EQ(chat["choices"][0]["message"]["content"], FormulaText(3, 0, 20));
  EXPECT_EQ(chat["usage"]["completion_tokens"], 20);
  const Json text = Json::parse(
      Ask("POST", "/v1/completions", R"({"prompt":["x","y"],"seed":1,"max_tokens":4})").body);
  EXPECT_EQ(text["choices"][1]["text"], FormulaText(1, 0, 4));
  EXPECT_THAT(
      Get("/metrics").body,
      HasSubstr("baton_frontend_requests_total{code=\"200\",endpoint=\"chat_completions\"} 1"));

  EXPECT_EQ(Get("/nothing").status, 404);
  EXPECT_EQ(Json::parse(Get("/nothing").body)["error"]["type"], "Not Found");
  EXPECT_EQ(Get("/v1/completions").status, 405);
  EXPECT_EQ(Ask("POST", "/v1/completions", "{").status, 400);
}

TEST_F(FrontendAppTest, StreamsEndWithDone) {
  Start();
  const Fetched fetched = Chat(R"(,"stream":true)");
  EXPECT_EQ(fetched.status, 200);
  EXPECT_EQ(TextOf(fetched.body), FormulaText(3, 0, 20));
  EXPECT_THAT(fetched.body, EndsWith("data: [DONE]\n\n"));
}

TEST_F(FrontendAppTest, ADyingWorkerDoesNotChangeTheText) {
  Start();
  for (const int tokens : {1, 7, 19}) {
    a_.DieAfter(tokens);
    const Fetched fetched = Chat(R"(,"stream":true)");
    EXPECT_EQ(TextOf(fetched.body), FormulaText(3, 0, 20)) << tokens;
    EXPECT_THAT(fetched.body, EndsWith("data: [DONE]\n\n"));
  }
  EXPECT_GE(b_.submits(), 3);
  a_.DieAfter(5);  // choices of one request, resumed one by one
  const Json several = Json::parse(Chat(R"(,"n":3,"temperature":1)").body);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(several["choices"][i]["message"]["content"], FormulaText(3, i, 20));
  }
}

TEST_F(FrontendAppTest, AStaleEpochIsTriedAgain) {
  Start();
  router_.BeStale(2);
  EXPECT_EQ(Chat("").status, 200);
}

TEST_F(FrontendAppTest, AClientThatLeavesIsHeardAtTheWorker) {
  Start();
  a_.HangAfterFirstToken();
  for (const char* stream : {"true", "false"}) {
    const int before = a_.cancels();
    {
      Client client(app_->port());
      client.Send(
          "POST", "/v1/chat/completions",
          std::string(R"({"messages":[{"role":"user","content":"Hi"}],"stream":)") + stream + "}");
      if (stream == std::string("true")) client.Receive("content\":\"");
      for (int i = 0; i < 1'000'000 && a_.submits() <= before; ++i) std::this_thread::yield();
    }
    for (int i = 0; i < 50'000'000 && a_.cancels() == before; ++i) std::this_thread::yield();
    EXPECT_EQ(a_.cancels(), before + 1) << stream;
  }
}

TEST_F(FrontendAppTest, KeysAreAskedFor) {
  FrontendConfig config;
  config.api_keys = {"secret"};
  config.enable_request_id_headers = true;
  Start(config);
  EXPECT_EQ(Get("/v1/models").status, 401);
  EXPECT_EQ(Get("/health").status, 200);
  const Fetched good =
      Ask("GET", "/v1/models", "", "Authorization: Bearer secret\r\nX-Request-Id: me\r\n");
  EXPECT_EQ(good.status, 200);
  EXPECT_THAT(good.head, HasSubstr("me"));
}

TEST_F(FrontendAppTest, ABodyOfTooManyValuesIsRefusedUnread) {
  Start();
  std::string body = "{\"prompt\":[";
  for (int i = 0; i < 1'000'000; ++i) body += "[],";
  const Fetched refused = Ask("POST", "/v1/completions", body + "[]]}");
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("more than 1000000 objects, arrays and strings"));
  // Tokens and their alternatives that come to be derendered are many values; here it is closed.
  EXPECT_EQ(Ask("POST", "/v1/completions/derender", body + "[]]}").status, 403);
}

TEST_F(FrontendAppTest, StopEndsOpenStreamsWithAnEvent) {
  FrontendConfig config;
  config.shutdown_timeout = std::chrono::milliseconds(200);
  Start(config);
  a_.HangAfterFirstToken();
  Client client(app_->port());
  client.Send("POST", "/v1/chat/completions",
              R"({"messages":[{"role":"user","content":"Hi"}],"stream":true})");
  const Fetched begun = client.Receive("content\":\"");
  EXPECT_EQ(begun.status, 200);
  std::string rest;
  std::thread reader([&] { rest = client.ReceiveRest(); });
  EXPECT_TRUE(app_->Stop());
  reader.join();
  EXPECT_THAT(rest, HasSubstr("data: {\"error\""));
  EXPECT_THAT(rest, HasSubstr("data: [DONE]"));
}

TEST_F(FrontendAppTest, NoRouterIsNotReady) {
  FrontendConfig config;
  config.routers = {"127.0.0.1:1"};
  config.host = "127.0.0.1";
  config.port = 0;
  config.admin_listen = "127.0.0.1:0";
  auto app = FrontendApp::Start(config, RealClock());
  ASSERT_TRUE(app.ok());
  app_ = *std::move(app);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/livez").status, 200);
  const Fetched refused = Chat("");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.head, HasSubstr("etry-"));
  EXPECT_TRUE(app_->Stop());
}

TEST(FrontendConfigTest, MistakesAreNamed) {
  const auto parse = [](std::vector<std::string> arguments) -> absl::StatusOr<FrontendConfig> {
    FrontendConfig config;
    OptionTable table("baton-frontend", "");
    DescribeOptions(table, config);
    const auto loaded =
        LoadConfig(table, arguments, [](const std::string&) { return std::nullopt; });
    if (!loaded.ok()) return loaded.status();
    if (const absl::Status valid = config.Validate(); !valid.ok()) return valid;
    return config;
  };
  EXPECT_FALSE(parse({}).ok());
  EXPECT_TRUE(parse({"--routers", "a:1,b:2"}).ok());
  EXPECT_EQ(parse({"--routers", "a:1,b:2"})->routers.size(), 2u);
  EXPECT_THAT(std::string(parse({"--rooters", "a:1"}).status().message()), HasSubstr("routers"));
}

}  // namespace
}  // namespace baton::frontend
