#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "frontend/http/http_options.h"
#include "frontend/http/route_table.h"

namespace baton::frontend {

// The HTTP engine: reads requests and writes answers on one or two `net-N` threads, starts handlers
// on `http-N` threads. A handler returns at once and whoever holds its sink answers later, so ten
// thousand open streams cost ten thousand sockets and not one thread.
//
//   RouteTable routes;
//   RETURN_IF_ERROR(routes.Add("GET", "/health", [](HttpRequest, std::shared_ptr<ResponseSink> s) {
//     s->Respond({200, {}, ""});
//   }));
//   ASSIGN_OR_RETURN(auto server, HttpServer::Start(std::move(options), std::move(routes), clock));
//   ...
//   server->StopAccepting();
//   server->DrainUntil(deadline);
//
// Threading: thread-safe.
// Ownership: owns its sockets and threads. Handlers, filters and hooks must outlive it; sinks may
//            outlive the server and then do nothing.
// Errors:    those of Listener from Start; nothing is left running.
class HttpServer {
 public:
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpServerOptions options,
                                                           RouteTable routes, Clock& clock);
  // Cuts what is still open, then joins every thread.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  size_t connection_count() const;

  // Closes the listening socket; connections go on. Idempotent.
  void StopAccepting();

  // Stops accepting, closes idle connections and each other one after its answer. True if none is
  // left; at `deadline` the rest is cut, and their handlers learn that the client is gone.
  bool DrainUntil(MonotonicTime deadline);

 private:
  class Engine;
  explicit HttpServer(std::unique_ptr<Engine> engine);

  const std::unique_ptr<Engine> engine_;
};

}  // namespace baton::frontend
