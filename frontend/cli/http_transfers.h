// HTTP requests, several at a time, on the calling thread: what `baton run-batch` sends to servers.
//
//   HttpTransfers transfers(8);
//   transfers.Run(requests, [&](size_t index, HttpOutcome outcome) { … });
//
// Threading: used by one thread; blocks in Run. Ownership: the requests outlive Run.
// Errors:    of a request: an outcome without a status.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace baton::frontend {

struct HttpTransfer {
  enum class Method { kGet, kPost, kPut };

  Method method = Method::kGet;
  std::string url;
  std::string unix_socket = {};  // where the server is, instead of the URL's host
  std::string api_key = {};      // sent as a bearer token; empty: none
  std::string body = {};         // JSON for POST
};

struct HttpOutcome {
  long status = 0;   // 0: there was no answer
  std::string body;  // or why there was none
};

class HttpTransfers {
 public:
  using OnDone = std::function<void(size_t index, HttpOutcome outcome)>;

  explicit HttpTransfers(size_t concurrency) : concurrency_(concurrency) {}

  // All of them, `concurrency` at a time, in their order; each is told once, as soon as it is over.
  void Run(std::span<const HttpTransfer> requests, const OnDone& on_done) const;

 private:
  const size_t concurrency_;
};

// One alone.
HttpOutcome RunTransfer(const HttpTransfer& request);

}  // namespace baton::frontend
