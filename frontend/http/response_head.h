// Renders the first lines of an answer.
//
// Threading: any thread.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/clock.h"
#include "frontend/http/http_types.h"

namespace baton::frontend {

enum class ResponseBody {
  kLength,      // content-length
  kChunked,     // transfer-encoding: chunked
  kUntilClose,  // a stream to an HTTP/1.0 client
  kNone,        // 204, 304
};

struct ResponseFraming {
  ResponseBody body = ResponseBody::kLength;
  size_t content_length = 0;
  bool keep_alive = true;
  WallTime now{};  // for the Date header
};

// Appends status line, `headers`, `more_headers`, framing headers and the empty line. Headers that
// frame the message are ours alone: a handler's own are left out, as are control characters in any
// value, so that nothing a client sent can break the head when it is echoed.
void AppendResponseHead(int status, const HttpHeaders& headers, const HttpHeaders& more_headers,
                        const ResponseFraming& framing, std::string* out);

}  // namespace baton::frontend
