// What HTTP/1.1 asks of a server, over real sockets.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/conformance/http/http_fixture.h"

namespace baton::frontend {
namespace {

class HttpProtocolTest : public HttpFixture {};

TEST_F(HttpProtocolTest, AnswersAndKeepsTheConnection) {
  StartServer();
  RawClient client = Connect();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.Send(Get("/hello")));
    const RawAnswer answer = client.Read();
    ASSERT_TRUE(answer.complete);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.Header("content-type"), "text/plain");
    EXPECT_NE(answer.Header("date"), "");
    EXPECT_EQ(answer.Header("connection"), "");
  }
  EXPECT_EQ(server_->connection_count(), 1u);
}

TEST_F(HttpProtocolTest, TakesAHeadByteByByte) {
  StartServer();
  RawClient client = Connect();
  for (const char c : Post("/echo", "split", "X-Long: " + std::string(300, 'x') + "\r\n")) {
    ASSERT_TRUE(client.Send(std::string(1, c)));
  }
  EXPECT_EQ(client.Read().body, "split");
}

TEST_F(HttpProtocolTest, AnswersPipelinedRequestsInOrder) {
  StartServer();
  RawClient client = Connect();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Post("/echo", "body " + std::to_string(i));
  requests += Get("/hello", "Connection: close\r\n");
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.Read().body, "body " + std::to_string(i));
  EXPECT_EQ(client.Read().Header("connection"), "close");
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(HttpProtocolTest, DoesNotStartAPipelinedRequestBeforeTheAnswer) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/held") + Get("/held")));
  const auto first = held_.Wait(0);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(held_.size(), 1u);
  first->Respond({200, {}, "first"});
  const auto second = held_.Wait(1);
  ASSERT_NE(second, nullptr);
  second->Respond({200, {}, "second"});
  EXPECT_EQ(client.Read().body, "first");
  EXPECT_EQ(client.Read().body, "second");
}

TEST_F(HttpProtocolTest, TakesChunkedBodies) {
  StartServer();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient client = Connect();
  ASSERT_TRUE(
      client.Send(head + "5\r\nhello\r\n7;ext=\"1\"\r\n, world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  EXPECT_EQ(client.Read().body, "hello, world");
  for (const char c : head + "A\r\n0123456789\r\n00\r\n\r\n") {
    ASSERT_TRUE(client.Send(std::string(1, c)));
  }
  EXPECT_EQ(client.Read().body, "0123456789");
}

TEST_F(HttpProtocolTest, TakesLargeBodiesAndAnswersThem) {
  StartServer();
  std::string body(5 << 20, 'a');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('b' + i % 20);
  RawClient client = Connect();
  std::thread sender([&] { EXPECT_TRUE(client.Send(Post("/echo", body))); });
  sender.join();
  EXPECT_EQ(client.Read().body, body);
}

// What is left of a large answer's bookkeeping must not become bytes of the next answer.
TEST_F(HttpProtocolTest, AnswersAfterALargeAnswerOnTheSameConnection) {
  StartServer();
  RawClient client = Connect();
  for (const size_t bytes : {size_t{300'000}, size_t{5}, size_t{2'000'000}, size_t{5}}) {
    ASSERT_TRUE(client.Send(Post("/echo", std::string(bytes, 'x'))));
    const RawAnswer answer = client.Read();
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::string(bytes, 'x'));
  }
}

TEST_F(HttpProtocolTest, SendsContinueWhenAsked) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.Read().status, 100);
  ASSERT_TRUE(client.Send("body"));
  EXPECT_EQ(client.Read().body, "body");
  EXPECT_EQ(
      Ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: magic\r\n\r\n").status,
      417);
}

TEST_F(HttpProtocolTest, RefusesATooLargeBodyBeforeItIsSent) {
  options_.limits.body_bytes_max = 1000;
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n"));
  const RawAnswer answer = client.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.Header("connection"), "close");
  EXPECT_EQ(Ask(Post("/echo", std::string(1000, 'x'))).status, 200);
  EXPECT_EQ(
      Ask("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n").status,
      413);
}

TEST_F(HttpProtocolTest, AClientInFullUploadStillReadsTheRefusal) {
  options_.limits.body_bytes_max = 1000;
  StartServer();
  RawClient client = Connect();
  std::string request = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3000000\r\n\r\n";
  ASSERT_TRUE(client.Send(request + std::string(3'000'000, 'x')));
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(HttpProtocolTest, AnswersHeadWithoutABody) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n" + Get("/hello")));
  const RawAnswer head = client.Read(/*is_head_method=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("content-length"), "5");
  EXPECT_EQ(client.Read().body, "hello");
  ASSERT_TRUE(client.Send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n" + Get("/hello")));
  EXPECT_EQ(client.Read(/*is_head_method=*/true).status, 200);
  EXPECT_EQ(client.Read().body, "hello");
}

TEST_F(HttpProtocolTest, AnswersWrongPathsAndMethods) {
  options_.format_error = [](int status, std::string_view message) {
    return HttpResponse{0,
                        {{"content-type", "application/json"}},
                        std::to_string(status) + ":" + std::string(message)};
  };
  StartServer();
  EXPECT_EQ(Ask(Get("/nowhere")).body, "404:Not Found");
  const RawAnswer refused = Ask(Post("/hello", ""));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.body, "405:Method Not Allowed");
  EXPECT_EQ(refused.Header("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(refused.Header("connection"), "");
  RawClient client = Connect();
  ASSERT_TRUE(client.Send("OPTIONS /echo HTTP/1.1\r\nHost: t\r\n\r\n"));
  const RawAnswer options = client.Read();
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.Header("allow"), "POST, OPTIONS");
  EXPECT_EQ(Ask("BREW /hello HTTP/1.1\r\nHost: t\r\n\r\n").status, 405);
}

TEST_F(HttpProtocolTest, APathWithASlashTooManyLeadsToTheOneWithout) {
  options_.root_path = "/llm";
  StartServer();
  const RawAnswer get = Ask(Get("/hello/?a=b%0d"));
  EXPECT_EQ(get.status, 307);
  EXPECT_EQ(get.Header("location"), "/hello?a=b%0d");
  EXPECT_EQ(Ask(Post("/llm/echo/", "x")).Header("location"), "/llm/echo");
  EXPECT_EQ(Ask(Get("/hello//")).Header("location"), "/hello");
  for (const char* target : {"//", "//hello/", "/echo/", "/models/m%0d%0ax:y/", "/"}) {
    EXPECT_EQ(Ask(Get(target)).Header("location"), "") << target;
  }
}

TEST_F(HttpProtocolTest, ServesPathsWithAndWithoutTheRootOfAProxy) {
  options_.root_path = "/llm";
  StartServer();
  EXPECT_EQ(Ask(Get("/llm/hello")).body, "hello");
  EXPECT_EQ(Ask(Get("/hello")).body, "hello");
  EXPECT_EQ(Ask(Get("/llmhello")).status, 404);
  EXPECT_EQ(Ask(Get("/llm/llm/hello")).status, 404);
}

TEST_F(HttpProtocolTest, DecodesPathsAndGivesParameters) {
  StartServer();
  EXPECT_EQ(Ask(Get("/models/org%2Fname%20x/v1?a=b%20c&d")).body, "org/name x/v1?a=b%20c&d");
  EXPECT_EQ(Ask(Get("http://host:80/models/m?q")).body, "m?q");
  EXPECT_EQ(Ask(Get("/models/")).status, 404);
}

TEST_F(HttpProtocolTest, StreamsInChunks) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/stream") + Get("/hello")));
  const RawAnswer answer = client.Read();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.Header("transfer-encoding"), "chunked");
  EXPECT_EQ(answer.body, "one two three");
  EXPECT_EQ(client.Read().body, "hello");
}

TEST_F(HttpProtocolTest, SpeaksHttp10) {
  StartServer();
  RawClient plain = Connect();
  ASSERT_TRUE(plain.Send("GET /stream HTTP/1.0\r\n\r\n"));
  const RawAnswer streamed = plain.Read();
  EXPECT_EQ(streamed.Header("transfer-encoding"), "");
  EXPECT_EQ(streamed.body, "one two three");
  RawClient kept = Connect();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(kept.Send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_EQ(kept.Read().body, "hello");
  }
}

TEST_F(HttpProtocolTest, AHandlerThatFailsIsA500WithoutDetails) {
  StartServer();
  for (const char* path : {"/throw", "/drop"}) {
    const RawAnswer answer = Ask(Get(path));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  }
}

TEST_F(HttpProtocolTest, AStreamThatIsDroppedEndsWithoutItsLastChunk) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/held")));
  held_.Wait()->BeginStream(200, {});
  held_.Wait()->Write("half");
  held_.Drop();
  const RawAnswer answer = client.Read();
  EXPECT_EQ(answer.body, "half");
  EXPECT_FALSE(answer.complete);
  EXPECT_TRUE(Event(HttpEvent::kAnswerAbandoned).WaitFor());
}

TEST_F(HttpProtocolTest, NamesEachRequest) {
  options_.echo_request_id = true;
  StartServer();
  EXPECT_EQ(Ask(Get("/hello", "X-Request-Id: abc-1\r\n")).Header("x-request-id"), "abc-1");
  const std::string made = Ask(Get("/hello")).Header("x-request-id");
  EXPECT_EQ(made.size(), 32u);
  EXPECT_EQ(Ask(Get("/hello", "X-Request-Id: a b\r\n")).Header("x-request-id").size(), 32u);
  EXPECT_EQ(Ask(Get("/nowhere", "X-Request-Id: abc-2\r\n")).Header("x-request-id"), "abc-2");
}

TEST_F(HttpProtocolTest, AnswersBrowsersByTheCorsPolicy) {
  StartServer();
  EXPECT_EQ(Ask(Get("/hello", "Origin: http://x\r\n")).Header("access-control-allow-origin"), "*");
  EXPECT_EQ(Ask(Get("/hello")).Header("access-control-allow-origin"), "");
  const RawAnswer preflight =
      Ask("OPTIONS /echo HTTP/1.1\r\nHost: t\r\nOrigin: http://x\r\n"
          "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-a\r\n\r\n");
  EXPECT_EQ(preflight.status, 200);
  EXPECT_EQ(preflight.Header("access-control-allow-origin"), "*");
  EXPECT_EQ(preflight.Header("access-control-allow-headers"), "x-a");
}

TEST_F(HttpProtocolTest, FiltersComeBeforeRoutes) {
  options_.filters.push_back([](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path.starts_with("/secret")) return HttpResponse{401, {}, "no"};
    return std::nullopt;
  });
  StartServer();
  EXPECT_EQ(Ask(Get("/secret/nowhere")).status, 401);
  EXPECT_EQ(Ask(Get("/hello")).status, 200);
}

TEST_F(HttpProtocolTest, RecordsEachRequest) {
  StartServer();
  Ask(Post("/echo", "12345", "X-Request-Id: one\r\n"));
  ASSERT_TRUE(recorded_.WaitFor(1));
  const AccessRecord record = records().at(0);
  EXPECT_EQ(record.method, "POST");
  EXPECT_EQ(record.route, "/echo");
  EXPECT_EQ(record.request_id, "one");
  EXPECT_EQ(record.remote_address, "127.0.0.1");
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record.request_bytes, 5u);
  EXPECT_GT(record.response_bytes, 5u);
  EXPECT_FALSE(record.client_gone);
}

}  // namespace
}  // namespace baton::frontend
