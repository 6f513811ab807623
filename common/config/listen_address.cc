#include "common/config/listen_address.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

bool IsPort(int port) { return port >= 0 && port <= 65535; }

std::string ErrorText(int error) { return std::strerror(error); }

int PortOf(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  if (storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  }
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return 0;
}

absl::Status SetFlags(int fd) {
  const int status_flags = fcntl(fd, F_GETFL);
  if (status_flags < 0 || fcntl(fd, F_SETFL, status_flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return InvalidArgument(absl::StrCat("listen: fd=", fd, " ", ErrorText(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> AdoptInherited(int fd) {
  int listening = 0;
  socklen_t length = sizeof(listening);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 || listening == 0) {
    return InvalidArgument(absl::StrCat("listen: inherited fd=", fd, " is no listening socket"));
  }
  RETURN_IF_ERROR(SetFlags(fd));
  return fd;
}

// Binds and listens on one resolved address; returns the socket or a negative errno.
int BindOne(const addrinfo& info) {
  const int fd = socket(info.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd, info.ai_addr, info.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  return -error;
}

absl::StatusOr<int> BindAddress(const ListenAddress& address) {
  if (!IsPort(address.port)) {
    return InvalidArgument(absl::StrCat("listen: port=", address.port, " is not from 0 to 65535"));
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const char* host = address.host.empty() ? "0.0.0.0" : address.host.c_str();
  if (const int error = getaddrinfo(host, port.c_str(), &hints, &found); error != 0) {
    return InvalidArgument(absl::StrCat("listen: host=", host, " ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  int result = -EADDRNOTAVAIL;
  for (const addrinfo* info = found; info != nullptr && result < 0; info = info->ai_next) {
    result = BindOne(*info);
  }
  if (result >= 0) return result;
  return Unavailable(
      absl::StrCat("listen: address=", HostPort(host, address.port), " ", ErrorText(-result)));
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument(absl::StrCat("listen address '", ToAbsl(text), "': expected HOST:PORT"));
  }
  ListenAddress address;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return InvalidArgument(
        absl::StrCat("listen address '", ToAbsl(text), "': expected [IPv6]:PORT"));
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || !IsPort(address.port)) {
    return InvalidArgument(
        absl::StrCat("listen address '", ToAbsl(text), "': expected a port from 0 to 65535"));
  }
  address.host = host.empty() ? "0.0.0.0" : std::string(host);
  return address;
}

absl::StatusOr<ListenAddress> ListenAddressFromFlags(std::string_view address, int fd) {
  if (fd < 0) return ParseListenAddress(address);
  ListenAddress inherited;
  inherited.inherited_fd = fd;
  return inherited;
}

std::string HostPort(std::string_view host, int port) {
  if (host.find(':') != std::string_view::npos) {
    return absl::StrCat("[", ToAbsl(host), "]:", port);
  }
  return absl::StrCat(ToAbsl(host), ":", port);
}

absl::StatusOr<ListenSocket> ListenSocket::Open(const ListenAddress& address) {
  ASSIGN_OR_RETURN(const int fd, address.inherited_fd >= 0 ? AdoptInherited(address.inherited_fd)
                                                           : BindAddress(address));
  return ListenSocket(fd, PortOf(fd));
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}

ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(port_, other.port_);
  return *this;
}

ListenSocket::~ListenSocket() { Close(); }

void ListenSocket::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace baton
