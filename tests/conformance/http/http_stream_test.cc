// Clients that leave, stall or come in crowds, and the drain.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/conformance/http/http_fixture.h"

namespace baton::frontend {
namespace {

class HttpStreamTest : public HttpFixture {
 protected:
  // A client whose request is held by the test; `gone` is set when it leaves.
  RawClient ConnectHeld(Signal* gone, int receive_buffer_bytes = 0) {
    const size_t index = held_.size();
    RawClient client(server_->port(), receive_buffer_bytes);
    EXPECT_TRUE(client.Send(Get("/held")));
    const auto sink = held_.Wait(index);
    EXPECT_NE(sink, nullptr);
    sink->OnGone([gone] { gone->Set(); });
    return client;
  }
};

TEST_F(HttpStreamTest, ADisconnectIsSeenWithoutAWrite) {
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone);
  held_.Wait()->BeginStream(200, {});
  held_.Wait()->Write("first");
  ASSERT_TRUE(client.TakeThrough("first").has_value());
  client.Close();
  EXPECT_TRUE(gone.WaitFor());
  EXPECT_FALSE(held_.Wait()->Write("second"));
  held_.Wait()->Finish();  // nobody minds
  ASSERT_TRUE(recorded_.WaitFor());
  EXPECT_TRUE(records().at(0).client_gone);
  EXPECT_EQ(records().at(0).status, 200);
}

TEST_F(HttpStreamTest, ADisconnectIsSeenBeforeTheAnswer) {
  StartServer();
  Signal gone;
  RawClient closed = ConnectHeld(&gone);
  RawClient reset = ConnectHeld(&gone);
  RawClient half_closed = ConnectHeld(&gone);
  closed.Close();
  ASSERT_TRUE(gone.WaitFor(1));
  reset.Reset();
  ASSERT_TRUE(gone.WaitFor(2));
  half_closed.ShutdownWrite();
  EXPECT_TRUE(gone.WaitFor(3));
  held_.Wait()->Respond({200, {}, "nobody listens"});
  ASSERT_TRUE(recorded_.WaitFor(3));
  EXPECT_EQ(records().at(0).status, 499);
  EXPECT_EQ(Event(HttpEvent::kClientGone).count(), 3);
}

TEST_F(HttpStreamTest, ADisconnectBehindPipelinedBytesIsSeen) {
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone);
  ASSERT_TRUE(client.Send(Get("/hello")));  // unread while the first is answered
  client.Close();
  EXPECT_TRUE(gone.WaitFor());
}

TEST_F(HttpStreamTest, OnGoneRunsAtOnceWhenTheClientHasLeft) {
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone);
  client.Close();
  ASSERT_TRUE(gone.WaitFor());
  bool late = false;
  held_.Wait()->OnGone([&late] { late = true; });
  EXPECT_TRUE(late);
  held_.Wait()->Respond({200, {}, ""});
}

TEST_F(HttpStreamTest, OnGoneIsDroppedWhenTheAnswerIsComplete) {
  StartServer();
  Signal gone;
  auto owner = std::make_shared<int>(1);
  RawClient client = ConnectHeld(&gone);
  held_.Wait()->OnGone([owner, &gone] { gone.Set(); });
  held_.Wait()->Respond({200, {}, "done"});
  EXPECT_EQ(client.Read().body, "done");
  client.Close();
  ASSERT_TRUE(Event(HttpEvent::kConnectionClosed).WaitFor());
  EXPECT_EQ(gone.count(), 0);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST_F(HttpStreamTest, AStreamIsCutWhenItsClientDoesNotRead) {
  options_.limits.stream_buffer_bytes_max = 100'000;
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone, /*receive_buffer_bytes=*/8192);
  const auto sink = held_.Wait();
  sink->BeginStream(200, {});
  const std::string chunk(10'000, 'x');
  int written = 0;
  // What the kernel takes has a bound of its own, a few MB; the loop must end well before this.
  while (written < 100'000 && sink->Write(chunk)) ++written;
  EXPECT_LT(written, 100'000);
  EXPECT_TRUE(gone.WaitFor());
  EXPECT_TRUE(Event(HttpEvent::kClientTooSlow).WaitFor());
  EXPECT_FALSE(sink->Write(chunk));
}

TEST_F(HttpStreamTest, AStalledReaderIsCutAfterTheDeadline) {
  FakeClock& clock = fake_clock_;
  StartServer(clock);
  Signal gone;
  RawClient client = ConnectHeld(&gone, /*receive_buffer_bytes=*/8192);
  held_.Wait()->Respond({200, {}, std::string(16 << 20, 'x')});
  // The answer is complete for its maker, so nobody is told; the connection ends all the same.
  for (int i = 0; i < 100 && Event(HttpEvent::kClientTooSlow).count() == 0; ++i) {
    clock.Advance(std::chrono::seconds(31));
    ASSERT_EQ(Ask(Get("/hello")).status, 200);
  }
  EXPECT_TRUE(Event(HttpEvent::kClientTooSlow).WaitFor());
  EXPECT_EQ(gone.count(), 0);
}

TEST_F(HttpStreamTest, ACrowdIsServedAllAtOnce) {
  options_.net_thread_count = 2;
  StartServer();
  constexpr int kClients = 256;
  std::vector<RawClient> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(Connect());
    ASSERT_TRUE(clients.back().connected());
    ASSERT_TRUE(clients.back().Send(Get("/held")));
  }
  for (int i = 0; i < kClients; ++i) ASSERT_NE(held_.Wait(static_cast<size_t>(i)), nullptr);
  for (int i = 0; i < kClients; ++i) {
    held_.Wait(static_cast<size_t>(i))->BeginStream(200, {});
  }
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kClients; ++i) {
      ASSERT_TRUE(held_.Wait(static_cast<size_t>(i))->Write("tick "));
    }
  }
  for (int i = 0; i < kClients; ++i) held_.Wait(static_cast<size_t>(i))->Finish();
  std::string expected;
  for (int round = 0; round < 10; ++round) expected += "tick ";
  for (RawClient& client : clients) {
    const RawAnswer answer = client.Read();
    ASSERT_TRUE(answer.complete);
    ASSERT_EQ(answer.body, expected);
  }
}

TEST_F(HttpStreamTest, DrainFinishesWhatRunsAndClosesTheRest) {
  StartServer();
  Signal gone;
  RawClient idle = Connect();
  ASSERT_TRUE(idle.Send(Get("/hello")));
  EXPECT_EQ(idle.Read().status, 200);
  RawClient streaming = ConnectHeld(&gone);
  RawClient waiting = ConnectHeld(&gone);
  held_.Wait(0)->BeginStream(200, {});
  const int port = server_->port();

  bool drained = false;
  std::thread drain(
      [&] { drained = server_->DrainUntil(RealClock().Now() + std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_FALSE(RawClient(port).connected());
  held_.Wait(0)->Write("rest");
  held_.Wait(0)->Finish();
  EXPECT_EQ(streaming.Read().body, "rest");
  EXPECT_TRUE(streaming.WaitForClose());
  held_.Wait(1)->Respond({200, {}, "late"});
  const RawAnswer late = waiting.Read();
  EXPECT_EQ(late.body, "late");
  EXPECT_EQ(late.Header("connection"), "close");
  drain.join();
  EXPECT_TRUE(drained);
  EXPECT_EQ(gone.count(), 0);
}

TEST_F(HttpStreamTest, DrainCutsAtItsDeadline) {
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone);
  EXPECT_FALSE(server_->DrainUntil(RealClock().Now()));
  EXPECT_TRUE(gone.WaitFor());
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(HttpStreamTest, ASinkMayOutliveTheServer) {
  StartServer();
  Signal gone;
  RawClient client = ConnectHeld(&gone);
  const auto sink = held_.Wait();
  server_.reset();
  EXPECT_EQ(gone.count(), 1);
  sink->BeginStream(200, {});
  EXPECT_FALSE(sink->Write("nobody"));
  sink->Finish();
}

TEST_F(HttpStreamTest, AdoptsAListeningSocket) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  RawClient early(ntohs(address.sin_port));  // waits in the backlog until the server is there
  ASSERT_TRUE(early.Send(Get("/hello")));
  options_.listen_fd = fd;
  StartServer();
  EXPECT_EQ(server_->port(), ntohs(address.sin_port));
  EXPECT_EQ(early.Read().body, "hello");
}

TEST_F(HttpStreamTest, ReportsWhatItCannotListenOn) {
  StartServer();
  HttpServerOptions same = options_;
  same.port = server_->port();
  EXPECT_EQ(HttpServer::Start(same, RouteTable(), RealClock()).status().code(),
            absl::StatusCode::kUnavailable);
  same.host = "no such host.invalid";
  EXPECT_EQ(HttpServer::Start(same, RouteTable(), RealClock()).status().code(),
            absl::StatusCode::kInvalidArgument);
  same.listen_fd = 0;
  EXPECT_EQ(HttpServer::Start(same, RouteTable(), RealClock()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(HttpStreamTest, ListensOnBothFamiliesByDefault) {
  options_.host = "";
  StartServer();
  EXPECT_EQ(Ask(Get("/hello")).body, "hello");
  ASSERT_TRUE(recorded_.WaitFor());
  EXPECT_EQ(records().at(0).remote_address, "127.0.0.1");
}

}  // namespace
}  // namespace baton::frontend
