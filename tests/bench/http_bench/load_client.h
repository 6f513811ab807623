// The load side of http_bench: one epoll thread in a process of its own, so that the server's
// processor time can be told from the client's.
#pragma once

#include <cstdint>
#include <string>

namespace baton::frontend {

struct Load {
  int port = 0;
  int connections = 1;
  std::string request;     // sent on every connection
  bool is_stream = false;  // count chunks of one endless answer instead of answers
  double seconds = 2;
};

struct LoadResult {
  uint64_t completed = 0;  // answers, or chunks
  double seconds = 0;
  double p50_us = 0;  // of an answer; for streams, of the gap between chunks
  double p99_us = 0;
  int connected = 0;  // connections that got anything
};

LoadResult RunLoad(const Load& load);

}  // namespace baton::frontend
