// Checks the head of a request before anything else looks at it, and says where its body ends.
//
// The parser behind us is lenient: it takes Content-Length together with Transfer-Encoding, two
// lengths, "+4abc", unknown codings. Behind a proxy each of these smuggles a request. So a head
// passes here first, by RFC 9112 to the letter, and only what passes is replayed to the parser.
//
//   size_t scanned = 0;
//   std::optional<size_t> size = FindHeadEnd(buffer, &scanned);      // as bytes come in
//   std::variant<HeadFraming, HeadError> checked = CheckHead(buffer.substr(0, *size), limits);
//
// Threading: stateless, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace baton::frontend {

// How big a head may be. The parser's own limits (8 KB a line) bound the defaults.
struct HeadLimits {
  size_t head_bytes_max = 64 * 1024;
  size_t header_count_max = 256;
  size_t target_bytes_max = 8000;
  size_t line_bytes_max = 8000;
};

enum class BodyKind { kNone, kLength, kChunked };

// What the connection must know of a valid head.
struct HeadFraming {
  BodyKind body = BodyKind::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool expects_continue = false;
  bool is_head_method = false;
};

// Why a head is refused. The connection answers with `status` and closes: where the next request
// would start cannot be known.
struct HeadError {
  int status = 400;
  std::string_view message;
};

// The length of the head, its final empty line included, once it is complete. `*scanned` is where
// an earlier call left off, so that a head that arrives byte by byte is read once.
std::optional<size_t> FindHeadEnd(std::string_view buffer, size_t* scanned);

// REQUIRES: `head` ends with the empty line that FindHeadEnd found.
std::variant<HeadFraming, HeadError> CheckHead(std::string_view head, const HeadLimits& limits);

}  // namespace baton::frontend
