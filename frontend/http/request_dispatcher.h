#pragma once

#include <memory>
#include <optional>

#include "frontend/http/connection.h"
#include "frontend/http/http_options.h"
#include "frontend/http/httplib_parser.h"
#include "frontend/http/route_table.h"

namespace baton::frontend {

// Takes a received request to its handler: parse, request id, CORS, filters, route, start.
//
// Threading: thread-compatible; each handler thread has its own.
// Ownership: `options` and `routes` outlive it.
// Errors:    a request without a handler is answered here; so is one whose handler throws, or drops
//            the sink without an answer (500).
class RequestDispatcher {
 public:
  RequestDispatcher(const HttpServerOptions& options, const RouteTable& routes);

  void Dispatch(ReceivedRequest received);

 private:
  // What no handler takes. `refused` is set where the path is served under other methods.
  HttpResponse AnswerUnrouted(const HttpRequest& request,
                              const RouteTable::MethodNotAllowed* refused, bool has_root) const;
  // A path with slashes too many at its end leads to the one without.
  std::optional<HttpResponse> RedirectWithoutSlash(const HttpRequest& request, bool has_root) const;
  void Start(HttpRequest request, const HttpHandler& handler,
             const std::shared_ptr<Exchange>& exchange);

  const HttpServerOptions& options_;
  const RouteTable& routes_;
  HttplibParser parser_;
};

}  // namespace baton::frontend
