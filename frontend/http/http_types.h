// What an endpoint sees of HTTP: a request, and a sink for its answer. No library type shows.
//
// An endpoint is started, never waited for: `Start(request, sink)` returns at once, and whoever
// holds the sink answers later, from any thread.
//
//   void Start(HttpRequest request, std::shared_ptr<ResponseSink> sink) {
//     sink->OnGone([call] { call->Cancel(); });
//     sink->BeginStream(200, {{"content-type", "text/event-stream"}});
//     sink->Write("data: …\n\n");
//     sink->Finish();
//   }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::frontend {

// Names compare without regard to case; values of one name keep their order.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first value of `name`, or nullopt.
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);

// Letters A to Z count as their lower-case forms; everything else compares as it is.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// "Not Found" for 404; "Unknown" for a code that has no phrase here.
std::string_view StatusPhrase(int status);

struct HttpRequest {
  std::string method;
  std::string path;   // decoded, without the query
  std::string query;  // raw
  HttpHeaders headers;
  std::string body;  // with room for 64 more bytes, which simdjson wants to see
  std::string remote_address;
  std::vector<std::string> path_parameters;  // what the route's {…} parts matched, in order
  std::string request_id;                    // x-request-id of the client, or made here
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

// Where an answer goes. Exactly one of Respond and BeginStream … Finish is called, once; a sink
// that is destroyed without either answers 500, or cuts a stream that has begun.
//
// Threading: thread-safe; calls of one answer come one after another.
// Ownership: shared by the server and the call that answers.
// Errors:    a client that is gone, or too slow for the bounded write buffer, turns every later
//            call into a no-op: Write returns false and OnGone's callback has run or will run.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;

  virtual void Respond(HttpResponse response) = 0;

  virtual void BeginStream(int status, HttpHeaders headers) = 0;
  // Queues bytes as one chunk. False: the client is gone, stop producing.
  virtual bool Write(std::string_view bytes) = 0;
  virtual void Finish() = 0;

  // Runs `callback` once, on a net thread, when the client leaves before the answer is complete;
  // at once and on this thread if it has left already. Dropped when the answer is complete. The
  // callback must not block.
  virtual void OnGone(std::function<void()> callback) = 0;
};

// Starts the answer to one request and returns; see the top of this file.
using HttpHandler = std::function<void(HttpRequest, std::shared_ptr<ResponseSink>)>;

}  // namespace baton::frontend
