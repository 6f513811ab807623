#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/http/http_types.h"

namespace baton::frontend {

// cpp-httplib as a parser of request heads, without its sockets and threads.
//
// The library's request processing is given a stream that holds one head in memory; its parse is
// taken over before it routes, and what it would answer is dropped. The head is rewritten on the
// way where the library (0.11.4) would do harm:
//   - it percent-decodes header values, so that %0d%0a becomes a line break: percent signs are
//     escaped first, which its decoding undoes;
//   - it runs a recursive regex over Range, and puts client-sent REMOTE_* and LOCAL_* headers
//     before its own: these are left out (no endpoint of ours serves ranges);
//   - it takes a target with scheme and host for a path: both are cut off;
//   - it answers Expect itself: the connection has done so.
// Headers without a value are dropped by the library.
//
// Threading: thread-compatible; each handler thread has its own.
// Errors:    nullopt if the library refuses the head (an unknown method).
class HttplibParser {
 public:
  HttplibParser();
  ~HttplibParser();

  HttplibParser(const HttplibParser&) = delete;
  HttplibParser& operator=(const HttplibParser&) = delete;

  // Fills method, path, query and headers. REQUIRES: `head` has passed CheckHead.
  std::optional<HttpRequest> Parse(std::string_view head);

 private:
  class Engine;
  const std::unique_ptr<Engine> engine_;
};

}  // namespace baton::frontend
