#include "frontend/http/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton::frontend {
namespace {

constexpr int kBacklog = 4096;

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::StatusOr<AddressList> Resolve(const std::string& host, int port, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(),
                                &hints, &found);
  if (error != 0) {
    return InvalidArgument(
        absl::StrCat("listen: host=", host, " does not resolve: ", gai_strerror(error)));
  }
  return AddressList(found, &freeaddrinfo);
}

// A bound and listening socket, or -1 with errno set.
int Open(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ai_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));  // "::" takes IPv4 as well
  }
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return address.ss_family == AF_UNIX ? 0 : -1;
}

std::string NumericAddress(const sockaddr_storage& address, socklen_t size) {
  if (address.ss_family == AF_UNIX) return "unix";
  char text[NI_MAXHOST] = "";
  getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, text, sizeof(text), nullptr, 0,
              NI_NUMERICHOST);
  std::string_view view(text);
  static constexpr std::string_view kMapped = "::ffff:";  // IPv4 over a socket of both families
  if (view.substr(0, kMapped.size()) == kMapped && view.find('.') != std::string_view::npos) {
    view.remove_prefix(kMapped.size());
  }
  return std::string(view);
}

}  // namespace

absl::StatusOr<Listener> Listener::Bind(const std::string& host, int port) {
  if (port < 0 || port > 65535) {
    return InvalidArgument(absl::StrCat("listen: port=", port, " is not from 0 to 65535"));
  }
  int error = 0;
  // For "every address" the socket of both families comes first, then plain IPv4.
  for (const int family : {host.empty() ? AF_INET6 : AF_UNSPEC, AF_INET}) {
    absl::StatusOr<AddressList> addresses = Resolve(host, port, family);
    if (!addresses.ok()) {
      if (host.empty() && family == AF_INET6) continue;
      return addresses.status();
    }
    for (const addrinfo* one = addresses->get(); one != nullptr; one = one->ai_next) {
      if (const int fd = Open(*one); fd >= 0) return Listener(fd, PortOf(fd));
      error = errno;
    }
    if (!host.empty()) break;
  }
  return Unavailable(
      absl::StrCat("listen: address=", host, ":", port, " cannot be used: ", strerror(error)));
}

absl::StatusOr<Listener> Listener::Adopt(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  const int port = PortOf(fd);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM || port < 0) {
    return InvalidArgument(absl::StrCat("listen: fd=", fd, " is not a bound stream socket"));
  }
  // A second listen() on a listening socket only raises its backlog.
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
      listen(fd, kBacklog) != 0) {
    return InvalidArgument(absl::StrCat("listen: fd=", fd, " cannot listen: ", strerror(errno)));
  }
  return Listener(fd, port);
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(port_, other.port_);
  return *this;
}

Listener::~Listener() { Close(); }

void Listener::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

AcceptResult AcceptOne(int listen_fd, AcceptedSocket* accepted) {
  while (true) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int fd = accept4(listen_fd, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      *accepted = {fd, NumericAddress(address, size)};
      return AcceptResult::kAccepted;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      return AcceptResult::kOutOfDescriptors;
    }
    // A client that gave up while it waited is no reason to stop.
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) return AcceptResult::kNothing;
  }
}

}  // namespace baton::frontend
