// Requests that try to smuggle, exhaust or break: each is refused with its own status, and the
// connection that sent it is closed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/conformance/http/http_fixture.h"

namespace baton::frontend {
namespace {

class HttpAttackTest : public HttpFixture {};

TEST_F(HttpAttackTest, AmbiguousFramingIsRefused) {
  StartServer();
  const std::string line = "POST /echo HTTP/1.1\r\n";
  const std::vector<std::string> requests = {
      line + "Host: t\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
      line + "Host: t\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length: 4, 4\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length: +4\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length: -4\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length: 0x4\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length: 4abc\r\n\r\nabcd",
      line + "Host: t\r\nContent-Length:\r\n\r\n",
      line + "Host: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      line + "Host: t\r\nContent-Length : 4\r\n\r\nabcd",
      line + "Host: t\r\nX: 1\r\n folded\r\n\r\n",
      line + "Host: t\r\nX: 1\rY: 2\r\n\r\n",
      line + "Host: t\nContent-Length: 0\n\n",
      line + std::string("Host: t\r\nX: a\0b\r\n\r\n", 19),
      line + "Host: t\r\nno colon\r\n\r\n",
      line + "Host: t\r\n: empty name\r\n\r\n",
      line + "Host: t\r\nHost: u\r\n\r\n",
      line + "\r\n",
      "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET /hello\r\nHost: t\r\n\r\n",
      "GET  /hello HTTP/1.1\r\nHost: t\r\n\r\n",
      "GET /hel lo HTTP/1.1\r\nHost: t\r\n\r\n",
      "GE(T /hello HTTP/1.1\r\nHost: t\r\n\r\n",
      "GET /hello http/1.1\r\nHost: t\r\n\r\n",
      "\x16\x03\x01\x02\n\n",
  };
  for (const std::string& request : requests) {
    RawClient client = Connect();
    ASSERT_TRUE(client.Send(request));
    const RawAnswer answer = client.Read();
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_EQ(answer.Header("connection"), "close") << request;
    client.ShutdownWrite();
    EXPECT_TRUE(client.WaitForClose()) << request;
  }
  EXPECT_EQ(Event(HttpEvent::kRequestRejected).count(), static_cast<int>(requests.size()));
  EXPECT_EQ(held_.size(), 0u);
}

TEST_F(HttpAttackTest, MalformedChunksAreRefused) {
  StartServer();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> bodies = {
      "x\r\n",       "-1\r\n",           "+5\r\nhello\r\n",      "5\nhello\r\n",
      "5\r\nhelloX", "5\r\nhello\r\n\n", "0x5\r\nhello\r\n",     "\r\n",
      "5 ;\rx\r\n",  "5\r\nhello\n",     "1234567890123456\r\n", std::string(2000, '1'),
  };
  for (const std::string& body : bodies) {
    RawClient client = Connect();
    ASSERT_TRUE(client.Send(head + body + "\r\n\r\n"));
    EXPECT_EQ(client.Read().status, 400) << body;
  }
}

TEST_F(HttpAttackTest, OversizedHeadsAreRefused) {
  StartServer();
  std::string many;
  for (int i = 0; i < 256; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(Ask(Get("/hello", many)).status, 431);  // with Host one too many
  EXPECT_EQ(Ask(Get("/hello", "X: " + std::string(8000, 'x') + "\r\n")).status, 431);
  EXPECT_EQ(Ask(Get("/" + std::string(8001, 'x'))).status, 414);
  EXPECT_EQ(Ask("GET /" + std::string(66'000, 'x')).status, 431);  // and no end in sight
  EXPECT_EQ(
      Ask("GET /hello HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999999999999999\r\n\r\n").status,
      413);
  EXPECT_EQ(Ask("GET /hello HTTP/3.0\r\nHost: t\r\n\r\n").status, 505);
  EXPECT_EQ(Ask(Post("/echo", "x", "Content-Encoding: gzip\r\n")).status, 415);
}

TEST_F(HttpAttackTest, HeaderValuesPassUnchangedAndCannotBreakTheAnswer) {
  StartServer();
  const RawAnswer answer = Ask(Get("/header", "X-Test: a%0d%0aSet-Cookie: b%41%\r\n"));
  EXPECT_EQ(answer.body, "a%0d%0aSet-Cookie: b%41%");
  EXPECT_EQ(answer.Header("set-cookie"), "");
  EXPECT_EQ(answer.Header("x-back"), "a%0d%0aSet-Cookie: b%41%");
}

TEST_F(HttpAttackTest, AddressHeadersOfClientsAreIgnored) {
  StartServer();
  RawClient client = Connect();
  ASSERT_TRUE(client.Send(Get("/held", "REMOTE_ADDR: 6.6.6.6\r\nRange: bytes=0-1,2-3\r\n")));
  ASSERT_NE(held_.Wait(), nullptr);
  EXPECT_EQ(held_.request().remote_address, "127.0.0.1");
  EXPECT_FALSE(FindHeader(held_.request().headers, "REMOTE_ADDR").has_value());
}

TEST_F(HttpAttackTest, AFloodOfEmptyLinesIsNoWork) {
  StartServer();
  RawClient client = Connect();
  std::string lines;
  for (int i = 0; i < 500'000; ++i) lines += "\r\n";
  ASSERT_TRUE(client.Send(lines + Get("/hello")));
  EXPECT_EQ(client.Read().body, "hello");
}

TEST_F(HttpAttackTest, SlowHeadsAndBodiesTimeOut) {
  FakeClock& clock = fake_clock_;
  StartServer(clock);
  RawClient head = Connect();
  RawClient body = Connect();
  RawClient idle = Connect();
  ASSERT_TRUE(head.Send("GET /hello HT"));
  ASSERT_TRUE(
      body.Send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 65536\r\n"
                "Expect: 100-continue\r\n\r\n"));
  EXPECT_EQ(body.Read().status, 100);
  ASSERT_TRUE(Event(HttpEvent::kConnectionOpened).WaitFor(3));
  // The server has seen the partial head once a later request on a later connection is answered.
  EXPECT_EQ(Ask(Get("/hello")).status, 200);
  clock.Advance(std::chrono::seconds(11));
  EXPECT_EQ(head.Read().status, 408);
  clock.Advance(std::chrono::seconds(19));
  EXPECT_EQ(Ask(Get("/hello")).status, 200);
  EXPECT_EQ(Event(HttpEvent::kRequestTimedOut).count(), 1);  // 30 s and one for 64 KiB
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(body.Read().status, 408);
  clock.Advance(std::chrono::seconds(50));
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_EQ(Event(HttpEvent::kRequestTimedOut).count(), 2);
}

TEST_F(HttpAttackTest, BodiesInFlightHaveABudget) {
  options_.limits.body_bytes_in_flight_max = 10'000;
  StartServer();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 8000\r\n\r\n";
  RawClient first = Connect();
  ASSERT_TRUE(
      first.Send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 8000\r\n"
                 "Expect: 100-continue\r\n\r\n"));
  EXPECT_EQ(first.Read().status, 100);
  ASSERT_TRUE(first.Send(std::string(7000, 'x')));
  // One of the two is refused, whichever bytes the server sees last.
  RawClient second = Connect();
  ASSERT_TRUE(second.Send(head + std::string(7999, 'x')));
  ASSERT_TRUE(Event(HttpEvent::kRequestRejected).WaitFor());
  first.Close();
  second.Close();
  // Both have given back what they held.
  ASSERT_TRUE(Event(HttpEvent::kConnectionClosed).WaitFor(2));
  EXPECT_EQ(Ask(head + std::string(8000, 'x')).status, 200);
}

TEST_F(HttpAttackTest, BodiesInTheQueueStayInTheBudget) {
  options_.handler_thread_count = 1;
  options_.limits.body_bytes_in_flight_max = 10'000;
  Signal entered;
  Signal release;
  options_.filters.push_back([&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path == "/hello") {
      entered.Set();
      release.WaitFor();
    }
    return std::nullopt;
  });
  StartServer();
  RawClient running = Connect();
  ASSERT_TRUE(running.Send(Get("/hello")));
  ASSERT_TRUE(entered.WaitFor());
  const std::string body =
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 8000\r\n\r\n" + std::string(8000, 'x');
  RawClient one = Connect();
  RawClient other = Connect();
  ASSERT_TRUE(one.Send(body));
  ASSERT_TRUE(other.Send(body));
  // Whichever came second is refused, although the first has arrived whole.
  ASSERT_TRUE(Event(HttpEvent::kRequestRejected).WaitFor());
  release.Set();
  EXPECT_EQ(running.Read().status, 200);
  EXPECT_EQ(one.Read().status + other.Read().status, 200 + 503);
  EXPECT_EQ(Ask(body).status, 200);
}

TEST_F(HttpAttackTest, ConnectionsOverTheLimitAreToldSo) {
  options_.limits.connections_max = 2;
  StartServer();
  RawClient first = Connect();
  RawClient second = Connect();
  ASSERT_TRUE(Event(HttpEvent::kConnectionOpened).WaitFor(2));
  EXPECT_EQ(Ask(Get("/hello")).status, 503);
  ASSERT_TRUE(first.Send(Get("/hello")));
  EXPECT_EQ(first.Read().status, 200);
  first.Close();
  ASSERT_TRUE(Event(HttpEvent::kConnectionClosed).WaitFor(2));
  EXPECT_EQ(Ask(Get("/hello")).status, 200);
}

TEST_F(HttpAttackTest, AFullQueueIsA503WithRetryAfter) {
  options_.handler_thread_count = 1;
  options_.limits.queued_requests_max = 1;
  Signal entered;
  Signal release;
  options_.filters.push_back([&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.path == "/held") {
      entered.Set();
      release.WaitFor();
    }
    return std::nullopt;
  });
  StartServer();
  RawClient running = Connect();
  ASSERT_TRUE(running.Send(Get("/held")));
  ASSERT_TRUE(entered.WaitFor());
  RawClient queued = Connect();
  RawClient refused = Connect();
  ASSERT_TRUE(queued.Send(Get("/hello")));
  ASSERT_TRUE(refused.Send(Get("/hello")));
  // Whichever came second is refused at once; the other waits for the thread.
  ASSERT_TRUE(Event(HttpEvent::kQueueFull).WaitFor());
  release.Set();
  const RawAnswer one = queued.Read();
  const RawAnswer other = refused.Read();
  EXPECT_EQ(one.status + other.status, 200 + 503);
  EXPECT_EQ((one.status == 503 ? one : other).Header("retry-after"), "1");
  held_.Wait()->Respond({200, {}, ""});
}

}  // namespace
}  // namespace baton::frontend
