#include "common/obs/admin_server.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <list>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

constexpr size_t kConnectionCountMax = 64;
constexpr size_t kHeadBytesMax = 8192;
constexpr Duration kConnectionTime = std::chrono::seconds(2);
constexpr Duration kPollTime = std::chrono::milliseconds(250);  // how late a deadline is noticed

// A request that has been read in full, and the answer to it, in memory.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string request) : request_(std::move(request)) {}

  bool is_readable() const override { return position_ < request_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* buffer, size_t size) override {
    const size_t count = request_.copy(buffer, size, position_);
    position_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* data, size_t size) override {
    answer_.append(data, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    get_remote_ip_and_port(ip, port);
  }
  socket_t socket() const override { return INVALID_SOCKET; }

  std::string TakeAnswer() { return std::move(answer_); }

 private:
  const std::string request_;
  size_t position_ = 0;
  std::string answer_;
};

// The library's parser and router without its sockets and threads.
class Router final : public httplib::Server {
 public:
  std::string Answer(std::string request) {
    MemoryStream stream(std::move(request));
    bool closed = false;
    process_request(stream, /*close_connection=*/true, closed, nullptr);
    return stream.TakeAnswer();
  }
};

// One accepted socket: first its request is read, then its answer is written.
struct Connection {
  int fd = -1;
  MonotonicTime deadline;
  std::string request;
  std::string answer;
  size_t written = 0;
  bool answering = false;
  bool done = false;
};

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

// The poll loop behind an AdminServer.
class AdminServer::Loop {
 public:
  Loop(Options options, ListenSocket socket, Lifecycle& lifecycle, const MetricsRegistry& registry,
       Clock& clock)
      : socket_(std::move(socket)),
        lifecycle_(lifecycle),
        registry_(registry),
        clock_(clock),
        json_routes_(std::move(options.json_routes)),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    BATON_CHECK(wake_fd_ >= 0) << "eventfd: errno " << errno;
    AddRoutes();
  }

  ~Loop() {
    for (const Connection& connection : connections_) close(connection.fd);
    close(wake_fd_);
  }

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Poll();
      connections_.remove_if([this](const Connection& connection) {
        if (!connection.done && clock_.Now() < connection.deadline) return false;
        close(connection.fd);
        return true;
      });
    }
  }

  void Wake() {
    const uint64_t one = 1;
    BATON_CHECK(write(wake_fd_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)))
        << "eventfd write: errno " << errno;
  }

  int port() const { return socket_.port(); }

 private:
  void AddRoutes() {
    AddProbe("/livez", [this] { return lifecycle_.alive(); });
    AddProbe("/readyz", [this] { return lifecycle_.ready(); });
    AddProbe("/startupz", [this] { return lifecycle_.started(); });
    router_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(registry_.Expose(), "text/plain; version=0.0.4; charset=utf-8");
    });
    for (const auto& [path, route] : json_routes_) {
      router_.Get(path, [make = route](const httplib::Request&, httplib::Response& response) {
        response.set_content(make(), "application/json");
      });
    }
  }

  void AddProbe(const char* path, std::function<bool()> healthy) {
    router_.Get(path, [this, healthy = std::move(healthy)](const httplib::Request&,
                                                           httplib::Response& response) {
      response.status = healthy() ? 200 : 503;
      response.set_content(lifecycle_.ToJson(), "application/json");
    });
  }

  void Poll() {
    std::vector<pollfd> fds = {{wake_fd_, POLLIN, 0}, {socket_.fd(), POLLIN, 0}};
    if (connections_.size() >= kConnectionCountMax) fds[1].fd = -1;
    for (const Connection& connection : connections_) {
      fds.push_back(
          {connection.fd, static_cast<short>(connection.answering ? POLLOUT : POLLIN), 0});
    }
    const int wait_ms =
        connections_.empty()
            ? -1
            : static_cast<int>(
                  std::chrono::duration_cast<std::chrono::milliseconds>(kPollTime).count());
    if (poll(fds.data(), fds.size(), wait_ms) <= 0) return;
    size_t index = 2;
    for (Connection& connection : connections_) {
      if (fds[index++].revents != 0) Advance(connection);
    }
    if (fds[1].revents != 0) Accept();
  }

  void Accept() {
    const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    Connection& connection = connections_.emplace_back();
    connection.fd = fd;
    connection.deadline = clock_.Now() + kConnectionTime;
  }

  void Advance(Connection& connection) {
    if (!connection.answering) Read(connection);
    if (connection.answering) Write(connection);
  }

  void Read(Connection& connection) {
    char buffer[4096];
    const ssize_t count = recv(connection.fd, buffer, sizeof(buffer), 0);
    if (count < 0 && WouldBlock()) return;
    if (count <= 0) {
      connection.done = true;
      return;
    }
    connection.request.append(buffer, static_cast<size_t>(count));
    const bool complete = connection.request.find("\r\n\r\n") != std::string::npos;
    if (!complete && connection.request.size() < kHeadBytesMax) return;
    connection.answering = true;
    const bool readable =
        connection.request.starts_with("GET ") || connection.request.starts_with("HEAD ");
    if (!complete) {
      connection.answer =
          "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
          "Content-Length: 0\r\n\r\n";
    } else if (!readable) {
      connection.answer =
          "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"
          "Connection: close\r\nContent-Length: 0\r\n\r\n";
    } else {
      connection.answer = router_.Answer(std::move(connection.request));
    }
  }

  void Write(Connection& connection) {
    const ssize_t count = send(connection.fd, connection.answer.data() + connection.written,
                               connection.answer.size() - connection.written, MSG_NOSIGNAL);
    if (count < 0 && WouldBlock()) return;
    if (count > 0) connection.written += static_cast<size_t>(count);
    connection.done = count <= 0 || connection.written == connection.answer.size();
  }

  const ListenSocket socket_;
  Lifecycle& lifecycle_;
  const MetricsRegistry& registry_;
  Clock& clock_;
  const std::map<std::string, JsonRoute> json_routes_;
  const int wake_fd_;

  // Used by the admin thread only.
  Router router_;
  std::list<Connection> connections_;
};

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(Options options,
                                                                Lifecycle& lifecycle,
                                                                const MetricsRegistry& registry,
                                                                Clock& clock) {
  ASSIGN_OR_RETURN(ListenSocket socket, ListenSocket::Open(options.listen));
  auto loop =
      std::make_unique<Loop>(std::move(options), std::move(socket), lifecycle, registry, clock);
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(loop)));
}

AdminServer::AdminServer(std::unique_ptr<Loop> loop)
    : loop_(std::move(loop)),
      thread_("admin", [this](std::stop_token stop) { loop_->Run(stop); }) {}

AdminServer::~AdminServer() {
  thread_.RequestStop();
  loop_->Wake();
  thread_.Join();
}

int AdminServer::port() const { return loop_->port(); }

}  // namespace baton
