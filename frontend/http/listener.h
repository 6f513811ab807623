#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace baton::frontend {

// A listening socket: of TCP, bound here; or of TCP or the file system, inherited from whoever
// opened it, as a supervisor that keeps it open while we are restarted.
//
//   ASSIGN_OR_RETURN(Listener listener, Listener::Bind("127.0.0.1", 0));
//
// Threading: thread-compatible.
// Ownership: closes the socket, an inherited one too.
// Errors:    INVALID_ARGUMENT for a host that does not resolve or an fd that is no such socket;
//            UNAVAILABLE for an address in use.
class Listener {
 public:
  // `host` is a name or a numeric address; empty means every address of both families.
  static absl::StatusOr<Listener> Bind(const std::string& host, int port);
  static absl::StatusOr<Listener> Adopt(int fd);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  int fd() const { return fd_; }
  int port() const { return port_; }  // 0: in the file system

  void Close();

 private:
  Listener(int fd, int port) : fd_(fd), port_(port) {}

  int fd_ = -1;
  int port_ = 0;
};

// A client's socket, non-blocking, with its address in numbers.
struct AcceptedSocket {
  int fd = -1;
  std::string remote_address;
};

enum class AcceptResult { kAccepted, kNothing, kOutOfDescriptors };

// Takes one waiting connection.
AcceptResult AcceptOne(int listen_fd, AcceptedSocket* accepted);

}  // namespace baton::frontend
