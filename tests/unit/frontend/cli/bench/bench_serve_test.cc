// The load generator against a real HTTP server whose answers and pauses are known.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "frontend/cli/bench_load.h"
#include "frontend/cli/bench_report.h"
#include "frontend/cli/sse_response.h"
#include "frontend/http/http_server.h"
#include "frontend/http/sse_writer.h"

namespace baton::frontend {
namespace {

using nlohmann::json;

TEST(SseResponseTest, ReadsAStreamWhereverItIsCut) {
  const std::string wire =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "A\r\ndata: one\n\r\n14\r\n\n: note\ndata:two\r\n\r\n\r\n"
      "0\r\n\r\n";
  for (size_t cut = 0; cut <= wire.size(); ++cut) {
    SseResponse response;
    response.Consume(std::string_view(wire).substr(0, cut));
    std::vector<std::string> events = response.TakeEvents();
    response.Consume(std::string_view(wire).substr(cut));
    for (std::string& event : response.TakeEvents()) events.push_back(std::move(event));
    ASSERT_EQ(response.state(), SseResponse::State::kDone) << cut;
    ASSERT_EQ(events, (std::vector<std::string>{"one", "two"})) << cut;
  }
}

TEST(SseResponseTest, TellsAnEndFromACut) {
  SseResponse whole;
  whole.Consume("HTTP/1.0 404 Not Found\r\n\r\nno such");
  whole.EndOfInput();
  EXPECT_EQ(whole.state(), SseResponse::State::kDone);
  EXPECT_EQ(whole.status(), 404);
  EXPECT_EQ(whole.body(), "no such");
  SseResponse cut;
  cut.Consume("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  cut.EndOfInput();
  EXPECT_EQ(cut.state(), SseResponse::State::kMalformed);
}

TEST(ParseUrlTest, TakesWhatUsersWrite) {
  const auto plain = ParseUrl("http://localhost:8000/v1/");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 8000);
  EXPECT_EQ(plain->path_prefix, "");
  EXPECT_EQ(ParseUrl("http://[::1]:1/x/v1")->host, "::1");
  EXPECT_EQ(ParseUrl("http://[::1]:1/x/v1")->path_prefix, "/x");
  EXPECT_EQ(ParseUrl("http://[::1]")->port, 80);
  for (const char* bad : {"", "localhost:8000", "https://x", "http://", "http://x:0"}) {
    EXPECT_FALSE(ParseUrl(bad).ok()) << bad;
  }
}

TEST(ServeReportTest, InterpolatesPercentilesAsNumpyDoes) {
  const Spread spread = SpreadOf({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(spread.mean, 2.5);
  EXPECT_DOUBLE_EQ(spread.median, 2.5);
  EXPECT_DOUBLE_EQ(spread.p99, 3.97);
}

TEST(ServeReportTest, ComputesVllmsFigures) {
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  LoadOutcome outcome;
  outcome.elapsed = std::chrono::seconds(2);
  outcome.requests.push_back({true, "", 3, 128, ms(100), ms(140), {ms(15), ms(25)}});
  outcome.requests.push_back({true, "", 1, 128, ms(300), ms(300), {}});
  outcome.requests.push_back({false, "refused", 0, 0, {}, {}, {}});
  const ServeFigures figures = Figures(LoadOptions(), outcome);
  EXPECT_EQ(figures.completed, 2);
  EXPECT_EQ(figures.failed, 1);
  EXPECT_DOUBLE_EQ(figures.output_tokens_per_second, 2);
  EXPECT_DOUBLE_EQ(figures.total_tokens_per_second, 130);
  EXPECT_DOUBLE_EQ(figures.time_to_first_token.mean, 200);
  EXPECT_DOUBLE_EQ(figures.time_per_output_token.mean, 20);  // the one-token answer has none
  EXPECT_DOUBLE_EQ(figures.inter_token_latency.median, 20);
  EXPECT_NE(
      RenderTable(LoadOptions(), figures).find("Output token throughput (tok/s):         2.00"),
      std::string::npos);
  EXPECT_EQ(json::parse(RenderJson(LoadOptions(), figures))["mean_ttft_ms"], 200);
}

class ServeLoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    RouteTable routes;
    ASSERT_TRUE(routes
                    .Add("POST", "/v1/completions",
                         [this](HttpRequest request, std::shared_ptr<ResponseSink> sink) {
                           Complete(request, std::move(sink));
                         })
                    .ok());
    ASSERT_TRUE(routes
                    .Add("GET", "/v1/models",
                         [](HttpRequest, std::shared_ptr<ResponseSink> sink) {
                           sink->Respond({200, {}, R"({"data":[{"id":"m"}]})"});
                         })
                    .ok());
    HttpServerOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    auto server = HttpServer::Start(std::move(options), std::move(routes), RealClock());
    ASSERT_TRUE(server.ok());
    server_ = *std::move(server);
    load_.endpoint = {"127.0.0.1", server_->port(), ""};
    load_.model = "m";
  }

  void Complete(const HttpRequest& request, std::shared_ptr<ResponseSink> sink) {
    const json body = json::parse(request.body);
    prompt_tokens_ += static_cast<int>(body["prompt"].size());
    if (++requests_ == fail_request_) {
      sink->Respond({503, {}, "busy"});
      return;
    }
    SseWriter events(std::move(sink));
    events.Begin();
    for (int i = 0; i < body["max_tokens"].get<int>(); ++i) {
      events.Data(R"({"choices":[{"text":"x"}],"usage":null})");
    }
    events.Data(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":64}})");
    events.Done();
  }

  std::atomic<int> requests_{0};
  std::atomic<int> prompt_tokens_{0};
  int fail_request_ = 0;
  LoadOptions load_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ServeLoadTest, MeasuresEveryRequest) {
  load_.prompt_count = 40;
  const LoadOutcome outcome = RunLoad(load_);
  EXPECT_EQ(requests_, 40);
  EXPECT_EQ(prompt_tokens_, 40 * 128);
  for (const RequestRecord& request : outcome.requests) {
    ASSERT_TRUE(request.ok) << request.error;
    EXPECT_EQ(request.output_tokens, 64);
    EXPECT_EQ(request.prompt_tokens, 7);
    EXPECT_EQ(request.inter_token_latencies.size(), 63u);
    EXPECT_GE(request.latency, request.time_to_first_token);
  }
  EXPECT_EQ(Figures(load_, outcome).output_tokens, 40 * 64);
}

TEST_F(ServeLoadTest, KeepsTheConnectionOfAPromptClient) {
  PromptClient client(load_);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.Send({1, 2, 3}).ok);
  EXPECT_EQ(prompt_tokens_, 9);
  EXPECT_EQ(server_->connection_count(), 1u);
}

TEST_F(ServeLoadTest, CountsFailuresAndGoesOn) {
  load_.prompt_count = 10;
  fail_request_ = 4;
  const ServeFigures figures = Figures(load_, RunLoad(load_));
  EXPECT_EQ(figures.completed, 9);
  EXPECT_EQ(figures.failed, 1);
  server_.reset();
  EXPECT_EQ(Figures(load_, RunLoad(load_)).failed, 10);
}

// Closes each connection after one answer without having said so, as llama-server does.
class RudeServer {
 public:
  RudeServer() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 100), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RudeServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\ndata: {\"choices\":[{\"text\":\"x\"}]}\n\n";
    for (int client = 0; (client = accept(fd_, nullptr, nullptr)) >= 0;) {
      char bytes[65536];
      std::string request;
      while (request.find("}}") == std::string::npos) {
        const ssize_t got = recv(client, bytes, sizeof(bytes), 0);
        if (got <= 0) break;
        request.append(bytes, static_cast<size_t>(got));
      }
      (void)send(client, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
      close(client);
    }
  }

  int fd_;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(ServeLoadTest, SurvivesAServerThatDropsKeptConnections) {
  const RudeServer rude;
  load_.endpoint.port = rude.port();
  load_.prompt_count = 20;
  load_.concurrency = 1;
  for (const RequestRecord& request : RunLoad(load_).requests) {
    EXPECT_TRUE(request.ok) << request.error;
  }
}

TEST_F(ServeLoadTest, FindsTheModelAndWarmsUp) {
  EXPECT_EQ(*FirstModel(load_.endpoint, ""), "m");
  EXPECT_TRUE(SendOne(load_).ok);
  server_.reset();
  EXPECT_FALSE(FirstModel(load_.endpoint, "").ok());
  EXPECT_FALSE(SendOne(load_).ok);
}

}  // namespace
}  // namespace baton::frontend
