#include "common/config/listen_address.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace baton {
namespace {

TEST(ListenAddressTest, ReadsHostAndPort) {
  EXPECT_EQ(ParseListenAddress("localhost:80")->host, "localhost");
  EXPECT_EQ(ParseListenAddress("localhost:80")->port, 80);
  EXPECT_EQ(ParseListenAddress(":0")->host, "0.0.0.0");
  EXPECT_EQ(ParseListenAddress("[::1]:9")->host, "::1");
  for (const char* bad : {"localhost", "a:b", "a:70000", "a:-1", "::1:9", "a:", ""}) {
    EXPECT_EQ(ParseListenAddress(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(ListenAddressTest, FlagsPreferTheInheritedSocket) {
  EXPECT_EQ(ListenAddressFromFlags("x:1", 7)->inherited_fd, 7);
  EXPECT_EQ(ListenAddressFromFlags("x:1", -1)->port, 1);
}

TEST(ListenAddressTest, HostPortBracketsIpv6) {
  EXPECT_EQ(HostPort("::1", 5), "[::1]:5");
  EXPECT_EQ(HostPort("h", 5), "h:5");
}

TEST(ListenSocketTest, PicksAFreePortAndRefusesAUsedOne) {
  absl::StatusOr<ListenSocket> first = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_GT(first->port(), 0);
  const absl::StatusOr<ListenSocket> second =
      ListenSocket::Open({.host = "127.0.0.1", .port = first->port()});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST(ListenSocketTest, RefusesPortsThatThereAreNot) {
  for (const int port : {-1, 65536, 99999}) {
    const absl::Status status = ListenSocket::Open({.host = "127.0.0.1", .port = port}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << port;
    EXPECT_EQ(std::string(status.message()),
              "listen: port=" + std::to_string(port) + " is not from 0 to 65535");
  }
}

TEST(ListenSocketTest, IsFreeAgainOnceItIsClosed) {
  absl::StatusOr<ListenSocket> first = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(first.ok()) << first.status();
  first->Close();
  first->Close();
  EXPECT_EQ(first->fd(), -1);
  EXPECT_TRUE(ListenSocket::Open({.host = "127.0.0.1", .port = first->port()}).ok());
}

TEST(ListenSocketTest, AdoptsAnInheritedSocketButNothingElse) {
  absl::StatusOr<ListenSocket> parent = ListenSocket::Open({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(parent.ok());
  ListenAddress inherited;
  inherited.inherited_fd = dup(parent->fd());
  const absl::StatusOr<ListenSocket> child = ListenSocket::Open(inherited);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->port(), parent->port());

  const int file = open("/dev/null", O_RDONLY);
  inherited.inherited_fd = file;
  EXPECT_EQ(ListenSocket::Open(inherited).status().code(), absl::StatusCode::kInvalidArgument);
  close(file);
}

TEST(ListenSocketTest, UnknownHostIsAnInvalidArgument) {
  EXPECT_EQ(ListenSocket::Open({.host = "no-such-host.invalid", .port = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton
