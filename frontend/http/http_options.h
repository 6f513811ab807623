// What an HttpServer is told when it starts. Plain data: the owner fills it from its own options.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "frontend/http/cors.h"
#include "frontend/http/http_types.h"
#include "frontend/http/request_head.h"

namespace baton::frontend {

// The answer for each bound: 431 or 414 (head), 413 (body), 503 (connections, bodies, queue); a
// stream whose client reads too slowly is cut.
struct HttpLimits {
  HeadLimits head;
  uint64_t body_bytes_max = 32ull << 20;
  uint64_t body_bytes_in_flight_max = 1ull << 30;  // of all requests without a handler yet
  size_t connections_max = 10'000;
  size_t queued_requests_max = 4'096;         // received, and no handler thread free
  size_t stream_buffer_bytes_max = 1u << 20;  // written by a handler, not yet taken by the OS
};

// The answer for each deadline: 408 for a request that does not arrive; otherwise a close.
struct HttpTimeouts {
  Duration head = std::chrono::seconds(10);
  Duration body = std::chrono::seconds(30);         // plus one second for each 64 KiB of body
  Duration idle = std::chrono::seconds(75);         // between requests of one connection
  Duration write_stall = std::chrono::seconds(30);  // no byte taken by a client that has some due
  Duration linger = std::chrono::seconds(2);  // for the client to read a last answer and close
};

// What happens besides answers; each one is a counter or a gauge of the owner's.
enum class HttpEvent {
  kConnectionOpened,
  kConnectionClosed,
  kConnectionRefused,  // over connections_max
  kRequestRejected,    // malformed or over a limit, never seen by a handler
  kRequestTimedOut,    // head or body came too late
  kQueueFull,
  kClientGone,  // before its answer was complete
  kClientTooSlow,
  kAnswerAbandoned,  // a stream that its maker left, or that a drain cut
};
inline constexpr int kHttpEventCount = 9;

// One answered, cut or refused request.
struct AccessRecord {
  std::string method;      // empty if the head was refused
  std::string_view route;  // the pattern, not the path: bounded; empty if there was none
  std::string request_id;
  std::string remote_address;
  int status = 0;  // 499 if the client left before there was one
  bool client_gone = false;
  uint64_t request_bytes = 0;   // of the body
  uint64_t response_bytes = 0;  // taken by the OS
  Duration elapsed{};           // from the end of the request to the end of the answer
};

// Called on net threads; must not block. Either may be empty.
struct HttpHooks {
  std::function<void(HttpEvent)> count;
  std::function<void(const AccessRecord&)> access;
};

// Makes the body of an error that the server itself answers, in the API's own shape.
using ErrorFormatter = std::function<HttpResponse(int status, std::string_view message)>;

// Sees each request before its route is looked for; an answer ends it there. For authentication.
using RequestFilter = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

struct HttpServerOptions {
  std::string host;    // empty: every address, IPv6 and IPv4
  int port = 8000;     // 0: any free one, reported by HttpServer::port()
  int listen_fd = -1;  // a listening socket that was handed over; host and port are then ignored
  int net_thread_count = 1;
  int handler_thread_count = 0;  // 0: twice the processors
  bool echo_request_id = false;  // x-request-id on every answer
  std::string root_path;         // what a proxy leaves before every path; also served without it
  HttpLimits limits;
  HttpTimeouts timeouts;
  CorsPolicy cors;
  HttpHooks hooks;
  ErrorFormatter format_error;  // empty: plain text
  std::vector<RequestFilter> filters;
};

}  // namespace baton::frontend
