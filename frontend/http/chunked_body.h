#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton::frontend {

// Takes the chunked coding off a request body as its bytes arrive. Chunk extensions and trailer
// fields are read and dropped, within a bound.
//
//   ChunkedBody decoder(body_bytes_max);
//   input.remove_prefix(decoder.Consume(input, &body));
//   if (decoder.state() == ChunkedBody::State::kDone) ...   // what is left of input comes next
//
// Threading: thread-compatible.
// Errors:    kMalformed and kTooLarge are final; the connection cannot be used for another request.
class ChunkedBody {
 public:
  enum class State { kReading, kDone, kMalformed, kTooLarge };

  explicit ChunkedBody(uint64_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Appends decoded bytes to `*body` and returns how much of `input` was used.
  size_t Consume(std::string_view input, std::string* body);

  State state() const { return state_; }

 private:
  enum class Part { kSizeLine, kData, kDataEnd, kTrailerLine };

  size_t ConsumeLine(std::string_view input);
  size_t ConsumeData(std::string_view input, std::string* body);
  void EndOfLine();
  void EndOfSizeLine();

  const uint64_t body_bytes_max_;
  State state_ = State::kReading;
  Part part_ = Part::kSizeLine;
  std::string line_;  // of the part being read; at most kLineBytesMax
  uint64_t chunk_left_ = 0;
  uint64_t body_bytes_ = 0;
  size_t trailer_bytes_ = 0;
};

}  // namespace baton::frontend
