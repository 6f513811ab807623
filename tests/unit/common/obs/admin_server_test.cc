#include "common/obs/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace baton {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A plain blocking TCP client: what it sent, and all that came back until the server closed.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { close(fd_); }

  bool connected() const { return connected_; }
  void Send(const std::string& text) { (void)send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = recv(fd_, buffer, sizeof(buffer), 0)) > 0) {
      all.append(buffer, static_cast<size_t>(count));
    }
    return all;
  }

 private:
  int fd_;
  bool connected_ = false;
};

class AdminServerTest : public testing::Test {
 protected:
  void Start(ListenAddress listen = {.host = "127.0.0.1", .port = 0}) {
    AdminServer::Options options;
    options.listen = listen;
    options.json_routes["/version"] = [] { return std::string("{\"version\":\"1\"}"); };
    absl::StatusOr<std::unique_ptr<AdminServer>> server =
        AdminServer::Start(std::move(options), lifecycle_, registry_, RealClock());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Get(const std::string& path) {
    Client client(server_->port());
    client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.ReadAll();
  }

  FakeClock clock_;
  Lifecycle lifecycle_{clock_};
  MetricsRegistry registry_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, ProbesFollowTheLifecycle) {
  Start();
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503"));
  lifecycle_.SetState(LifecycleState::kLoading);
  lifecycle_.SetProgress(
      {.phase = "weights", .detail = "layer 1/2", .done_bytes = 1, .total_bytes = 4});
  clock_.Advance(std::chrono::seconds(3));
  const std::string loading = Get("/startupz");
  EXPECT_THAT(loading, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(loading,
              HasSubstr(R"({"state":"loading","ready":false,"phase":"weights","bytes":1,"total":4,)"
                        R"("percent":25.0,"eta_s":9.0,"elapsed_s":3.0,)"
                        R"("detail":"layer 1/2"})"));
  lifecycle_.SetState(LifecycleState::kReady);
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/startupz"), StartsWith("HTTP/1.1 200"));
  bool usable = false;
  lifecycle_.SetReadyCheck([&] { return usable; });
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503"));
  lifecycle_.SetState(LifecycleState::kDraining);
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get("/startupz"), StartsWith("HTTP/1.1 200"));
  lifecycle_.SetState(LifecycleState::kWedged);
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 503"));
}

TEST_F(AdminServerTest, ServesMetricsAndOwnersRoutes) {
  registry_.AddCounter("baton_test_total", "T.").Add(2);
  Start();
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics, HasSubstr("baton_test_total 2"));
  EXPECT_THAT(Get("/version"), HasSubstr("{\"version\":\"1\"}"));
  EXPECT_THAT(Get("/nothing"), StartsWith("HTTP/1.1 404"));
}

TEST_F(AdminServerTest, RefusesOtherMethodsAndHugeHeads) {
  Start();
  Client post(server_->port());
  post.Send("POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(post.ReadAll(), StartsWith("HTTP/1.1 405"));
  Client huge(server_->port());
  huge.Send("GET /livez HTTP/1.1\r\nX: " + std::string(9000, 'a'));
  EXPECT_THAT(huge.ReadAll(), StartsWith("HTTP/1.1 431"));
  Client garbage(server_->port());
  garbage.Send("GET \x01\x02\r\n\r\n");
  EXPECT_THAT(garbage.ReadAll(), StartsWith("HTTP/1.1 400"));
}

// Clients that connect and say nothing, or only a part, do not keep others waiting.
TEST_F(AdminServerTest, SilentClientsDoNotBlockProbes) {
  Start();
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<Client>(server_->port()));
    silent.back()->Send("GET /li");
  }
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(silent[0]->ReadAll(), "");  // cut off after two seconds
}

TEST_F(AdminServerTest, AdoptsAnInheritedSocketAndReportsAUsedPort) {
  absl::StatusOr<ListenSocket> parent = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(parent.ok());
  ListenAddress inherited;
  inherited.inherited_fd = dup(parent->fd());
  Start(inherited);
  EXPECT_EQ(server_->port(), parent->port());
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200"));
  AdminServer::Options taken;
  taken.listen = {.host = "127.0.0.1", .port = parent->port()};
  EXPECT_EQ(
      AdminServer::Start(std::move(taken), lifecycle_, registry_, RealClock()).status().code(),
      absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace baton
