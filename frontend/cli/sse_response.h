#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/cli/sse_events.h"

namespace baton::frontend {

// Reads one HTTP/1.1 answer as its bytes arrive: status, then the body with its framing taken off,
// then, for an event stream, the payloads of its `data:` lines.
//
//   response.Consume(bytes);
//   for (const std::string& payload : response.TakeEvents()) ...
//   if (response.state() == SseResponse::State::kDone) ...
//
// Threading: thread-compatible.
// Errors:    kMalformed is final. An answer without length and chunks lasts until the connection
//            ends: the caller then calls EndOfInput.
class SseResponse {
 public:
  enum class State { kHead, kBody, kDone, kMalformed };

  void Consume(std::string_view bytes);
  void EndOfInput();

  State state() const { return state_; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  // What no TakeEvents has taken; the whole body of an answer that is no stream.
  const std::string& body() const { return body_; }

  // The events that are complete, in order; each is given once.
  std::vector<std::string> TakeEvents();

 private:
  enum class Framing { kLength, kChunked, kUntilClose };

  bool TakeHead();
  bool TakeBody();
  bool TakeChunk();
  void ReadHeader(std::string_view name, std::string_view value);

  State state_ = State::kHead;
  std::string input_;
  int status_ = 0;
  bool keep_alive_ = true;
  Framing framing_ = Framing::kUntilClose;
  size_t length_left_ = 0;
  std::string body_;
  SseEvents events_;
};

}  // namespace baton::frontend
