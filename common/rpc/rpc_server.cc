#include "common/rpc/rpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/concurrency/owned_thread.h"
#include "common/rpc/callback_queue.h"

namespace baton {
namespace {

using ConnectionSink = grpc::experimental::ExternalConnectionAcceptor;

// When the process is out of file descriptors, accept fails until a connection ends.
constexpr int kAcceptRetryMs = 100;

// Takes connections from a listening socket and hands each to gRPC, on a thread of its own.
class ConnectionAcceptor {
 public:
  ConnectionAcceptor(ListenSocket socket, std::unique_ptr<ConnectionSink> sink)
      : port_(socket.port()),
        socket_(std::move(socket)),
        sink_(std::move(sink)),
        wake_fd_(eventfd(0, EFD_CLOEXEC)) {
    BATON_CHECK(wake_fd_ >= 0) << "eventfd: errno " << errno;
  }

  ~ConnectionAcceptor() {
    Stop();
    close(wake_fd_);
  }

  void Start() {
    thread_ = std::make_unique<OwnedThread>("rpc-accept", [this](std::stop_token stop) {
      while (!stop.stop_requested()) AcceptSome();
    });
  }

  void Stop() {
    if (thread_ == nullptr) return;
    thread_->RequestStop();
    const uint64_t one = 1;
    BATON_CHECK(write(wake_fd_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)))
        << "eventfd write: errno " << errno;
    thread_.reset();
    socket_.reset();  // from here on connections are refused, not left in the backlog
  }

  int port() const { return port_; }

 private:
  void AcceptSome() {
    pollfd fds[2] = {{wake_fd_, POLLIN, 0}, {socket_->fd(), POLLIN, 0}};
    if (poll(fds, 2, -1) <= 0 || fds[1].revents == 0) return;
    const int fd = accept4(socket_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        poll(fds, 1, kAcceptRetryMs);
      }
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ConnectionSink::NewConnectionParameters connection;
    connection.listener_fd = socket_->fd();
    connection.fd = fd;
    sink_->HandleNewConnection(&connection);
  }

  const int port_;
  std::optional<ListenSocket> socket_;
  const std::unique_ptr<ConnectionSink> sink_;
  const int wake_fd_;
  std::unique_ptr<OwnedThread> thread_;
};

void Configure(grpc::ServerBuilder& builder, const RpcServer::Options& options) {
  builder.SetMaxReceiveMessageSize(options.message_bytes_max);
  builder.SetMaxSendMessageSize(options.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

}  // namespace

// The parts of a started server, in the order in which they end.
class RpcServer::Running {
 public:
  Running(std::unique_ptr<ConnectionAcceptor> acceptor, std::unique_ptr<grpc::Server> server)
      : server_(std::move(server)), acceptor_(std::move(acceptor)) {
    SetServing(false);
    acceptor_->Start();
  }

  ~Running() { Shutdown(RealClock().Now()); }

  int port() const { return acceptor_->port(); }

  void SetServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(serving); }

  void Shutdown(MonotonicTime deadline) {
    acceptor_->Stop();
    const Duration left = std::max(Duration::zero(), deadline - RealClock().Now());
    server_->Shutdown(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        RealClock().WallNow() + left));
    server_->Wait();
  }

 private:
  const std::unique_ptr<grpc::Server> server_;
  const std::unique_ptr<ConnectionAcceptor> acceptor_;
};

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const Options& options, std::span<grpc::Service* const> services) {
  ASSIGN_OR_RETURN(ListenSocket socket, ListenSocket::Open(options.listen));
  HoldCallbackQueue();
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Configure(builder, options);
  for (grpc::Service* service : services) builder.RegisterService(service);
  auto acceptor = std::make_unique<ConnectionAcceptor>(
      std::move(socket),
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
          grpc::InsecureServerCredentials()));
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return Internal("rpc server: gRPC did not start");
  return std::unique_ptr<RpcServer>(
      new RpcServer(std::make_unique<Running>(std::move(acceptor), std::move(server))));
}

RpcServer::RpcServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
RpcServer::~RpcServer() = default;
int RpcServer::port() const { return running_->port(); }
void RpcServer::SetServing(bool serving) { running_->SetServing(serving); }
void RpcServer::Shutdown(MonotonicTime deadline) { running_->Shutdown(deadline); }

}  // namespace baton
