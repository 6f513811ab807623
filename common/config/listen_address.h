#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

// Where a server listens: an address to bind, or a socket that a supervisor has bound already.
struct ListenAddress {
  std::string host;       // name or IPv4/IPv6 address; "0.0.0.0" or "::" for all
  int port = 0;           // 0: any free one
  int inherited_fd = -1;  // a listening socket; host and port are then unused
};

// Reads "host:port", "[::1]:port" or ":port" (all interfaces). Errors: INVALID_ARGUMENT.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// The pair of flags that every server has: `--listen-fd N` wins over `--listen HOST:PORT`.
// A negative `fd` means none.
absl::StatusOr<ListenAddress> ListenAddressFromFlags(std::string_view address, int fd);

// "host:port", with brackets where an IPv6 address needs them.
std::string HostPort(std::string_view host, int port);

// A TCP socket that listens, closed with its owner.
class ListenSocket {
 public:
  // Binds, or adopts the inherited socket after checking that it listens. The socket is
  // non-blocking and closed on exec. Errors: UNAVAILABLE (cannot bind), INVALID_ARGUMENT (not a
  // listening socket, an unknown host, or a port that is not from 0 to 65535).
  static absl::StatusOr<ListenSocket> Open(const ListenAddress& address);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();

  // Idempotent. Other processes may still listen on copies.
  void Close();

  int fd() const { return fd_; }  // -1: closed
  int port() const { return port_; }

 private:
  ListenSocket(int fd, int port) : fd_(fd), port_(port) {}

  int fd_;
  int port_;
};

}  // namespace baton
