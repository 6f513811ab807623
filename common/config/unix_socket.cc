#include "common/config/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

const sockaddr* AsAddress(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool IsSocket(const std::string& path) {
  struct stat file {};
  return lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

// Nobody listens there any more.
bool IsLeftOver(const std::string& path, const sockaddr_un& address) {
  if (!IsSocket(path)) return false;
  const int fd = NewSocket();
  if (fd < 0) return false;
  const bool refused =
      connect(fd, AsAddress(address), sizeof(address)) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

}  // namespace

absl::StatusOr<int> OpenUnixSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return InvalidArgument(absl::StrCat("listen: path=", path, " must have 1 to ",
                                        sizeof(address.sun_path) - 1, " bytes"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (IsLeftOver(path, address)) RemoveUnixSocket(path);
  const int fd = NewSocket();
  if (fd >= 0 && bind(fd, AsAddress(address), sizeof(address)) == 0 && listen(fd, kBacklog) == 0) {
    return fd;
  }
  const int error = errno;
  if (fd >= 0) close(fd);
  return Unavailable(absl::StrCat("listen: path=", path, " ", std::strerror(error)));
}

void RemoveUnixSocket(const std::string& path) {
  if (IsSocket(path)) unlink(path.c_str());
}

}  // namespace baton
