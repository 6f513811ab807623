#pragma once

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/config/listen_address.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace baton {

// A gRPC server as all of ours are: health and reflection, a 64 MB message limit, keep-alive that
// our channels' pings do not offend, a port of its own or a socket that a supervisor opened.
//
//   ASSIGN_OR_RETURN(auto server, RpcServer::Start({.listen = address}, {&service}));
//   server->SetServing(true);
//   ...
//   server->Shutdown(deadline);      // refuses new calls, cancels what is left at the deadline
//
// We accept connections ourselves (thread `rpc-accept`) and hand them to gRPC, whether the socket
// was inherited or not: one path, an exact error when a port is taken, and no second server that
// quietly binds the same port.
//
// Threading: Start, Shutdown and the destructor by the owner; SetServing from any thread.
// Ownership: services outlive the server.
// Errors:    UNAVAILABLE (address in use), INVALID_ARGUMENT (bad address or socket).
class RpcServer {
 public:
  struct Options {
    ListenAddress listen;
    int message_bytes_max = 64 << 20;
    bool reflection = true;
  };

  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const Options& options,
                                                          std::span<grpc::Service* const> services);
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const Options& options, std::initializer_list<grpc::Service*> services) {
    return Start(options, std::span<grpc::Service* const>(services.begin(), services.size()));
  }
  ~RpcServer();

  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // The port that is listened on, also when 0 was asked for.
  int port() const;

  // What the standard health service answers, for all services. Not serving at first.
  void SetServing(bool serving);

  // Stops accepting, waits for running calls until `deadline`, cancels the rest. Idempotent.
  void Shutdown(MonotonicTime deadline);

 private:
  class Running;
  explicit RpcServer(std::unique_ptr<Running> running);

  const std::unique_ptr<Running> running_;
};

}  // namespace baton
