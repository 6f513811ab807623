#include "frontend/http/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/process_memory.h"
#include "common/base/status_macros.h"
#include "common/concurrency/bounded_queue.h"
#include "common/concurrency/owned_thread.h"
#include "frontend/http/connection.h"
#include "frontend/http/listener.h"
#include "frontend/http/net_inbox.h"
#include "frontend/http/net_loop.h"
#include "frontend/http/request_dispatcher.h"

namespace baton::frontend {
namespace {

// Documents of many megabytes come of bodies from this size on.
constexpr size_t kLargeBodyBytes = 1 << 20;
// How long none must have come before their memory is given back: that holds up all threads that
// allocate meanwhile.
constexpr std::chrono::seconds kQuietBeforeReturn{1};

HttpResponse PlainError(int /*status*/, std::string_view message) {
  return {0, {{"content-type", "text/plain; charset=utf-8"}}, std::string(message)};
}

HttpServerOptions Completed(HttpServerOptions options) {
  if (options.handler_thread_count <= 0) {
    options.handler_thread_count =
        static_cast<int>(2 * std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  }
  options.net_thread_count = std::max(1, options.net_thread_count);
  ErrorFormatter format = options.format_error ? std::move(options.format_error) : PlainError;
  // The status line is the server's, whatever a formatter says.
  options.format_error = [format = std::move(format)](int status, std::string_view message) {
    HttpResponse response = format(status, message);
    response.status = status;
    return response;
  };
  return options;
}

}  // namespace

class HttpServer::Engine {
 public:
  Engine(HttpServerOptions options, RouteTable routes, Listener listener, Clock& clock)
      : options_(Completed(std::move(options))),
        routes_(std::move(routes)),
        clock_(clock),
        port_(listener.port()),
        connections_(options_.limits.connections_max),
        queue_(options_.limits.queued_requests_max) {
    std::vector<std::shared_ptr<NetInbox>> inboxes;
    for (int i = 0; i < options_.net_thread_count; ++i) {
      inboxes.push_back(std::make_shared<NetInbox>(clock_));
      contexts_.push_back(std::make_unique<ConnectionContext>(MakeContext(inboxes.back())));
      loops_.push_back(std::make_unique<NetLoop>(i, *contexts_.back(), connections_));
    }
    for (int i = 0; i < options_.handler_thread_count; ++i) {
      handlers_.push_back(std::make_unique<OwnedThread>(
          "http-" + std::to_string(i), [this](const std::stop_token&) { HandleRequests(); }));
    }
    for (size_t i = 1; i < loops_.size(); ++i) loops_[i]->Start(std::nullopt, {});
    loops_[0]->Start(std::move(listener), std::move(inboxes));
  }

  ~Engine() {
    PostToAll(NetInbox::kStopAccepting);
    PostToAll(NetInbox::kDrain);
    PostToAll(NetInbox::kCutAll);
    PostToAll(NetInbox::kStop);
    for (const auto& loop : loops_) loop->Join();
    queue_.Close();
    for (const auto& handler : handlers_) handler->Join();
  }

  int port() const { return port_; }
  size_t connection_count() const { return connections_.count(); }

  void StopAccepting() { PostToAll(NetInbox::kStopAccepting); }

  bool DrainUntil(MonotonicTime deadline) {
    StopAccepting();
    PostToAll(NetInbox::kDrain);
    if (connections_.WaitForNone(clock_, deadline)) return true;
    PostToAll(NetInbox::kCutAll);
    return false;
  }

 private:
  ConnectionContext MakeContext(std::shared_ptr<NetInbox> inbox) {
    return {options_,
            clock_,
            std::move(inbox),
            body_bytes_in_flight_,
            [this](ReceivedRequest request) {
              return queue_.TryPush(std::move(request)) == PushResult::kPushed;
            },
            options_.format_error};
  }

  void PostToAll(NetInbox::Command command) {
    for (const auto& context : contexts_) context->inbox->PostCommand(command);
  }

  void HandleRequests() {
    RequestDispatcher dispatcher(options_, routes_);
    LargeBody last;
    while (std::optional<ReceivedRequest> request = NextRequest(last)) {
      const bool is_large = request->body.size() >= kLargeBodyBytes;
      dispatcher.Dispatch(*std::move(request));
      if (is_large) last = {++large_bodies_, clock_.Now() + kQuietBeforeReturn};
    }
  }

  // A large body that a handler has had, and owes memory for; number 0: none.
  struct LargeBody {
    uint64_t number = 0;
    MonotonicTime quiet_at{};
  };

  // Waits for a request; on the way gives the memory of the last large body back, once it is time.
  std::optional<ReceivedRequest> NextRequest(LargeBody& last) {
    if (last.number == 0) return queue_.Pop();
    std::optional<ReceivedRequest> request = queue_.PopUntil(clock_, last.quiet_at);
    if (request.has_value() && clock_.Now() < last.quiet_at) return request;
    if (last.number == large_bodies_) ReturnFreeMemory();  // else a later one's handler does
    last.number = 0;
    return request.has_value() ? std::move(request) : queue_.Pop();
  }

  const HttpServerOptions options_;
  const RouteTable routes_;
  Clock& clock_;
  const int port_;

  std::atomic<uint64_t> body_bytes_in_flight_{0};
  std::atomic<uint64_t> large_bodies_{0};  // so far
  ConnectionCount connections_;
  BoundedQueue<ReceivedRequest> queue_;
  std::vector<std::unique_ptr<ConnectionContext>> contexts_;
  std::vector<std::unique_ptr<NetLoop>> loops_;
  std::vector<std::unique_ptr<OwnedThread>> handlers_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                              RouteTable routes, Clock& clock) {
  ASSIGN_OR_RETURN(Listener listener, options.listen_fd >= 0
                                          ? Listener::Adopt(options.listen_fd)
                                          : Listener::Bind(options.host, options.port));
  return std::unique_ptr<HttpServer>(new HttpServer(
      std::make_unique<Engine>(std::move(options), std::move(routes), std::move(listener), clock)));
}

HttpServer::HttpServer(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return engine_->port(); }
size_t HttpServer::connection_count() const { return engine_->connection_count(); }
void HttpServer::StopAccepting() { engine_->StopAccepting(); }
bool HttpServer::DrainUntil(MonotonicTime deadline) { return engine_->DrainUntil(deadline); }

}  // namespace baton::frontend
