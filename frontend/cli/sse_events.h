// Takes an event stream apart: the payloads of its `data:` lines, whatever the pieces it comes in.
//
//   for (const std::string& payload : events.Consume(bytes)) ...
//
// Threading: thread-compatible.
// Errors:    a line longer than kLineBytesMax is dropped and sets overflowed().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace baton::frontend {

class SseEvents {
 public:
  static constexpr size_t kLineBytesMax = 16 << 20;

  // The payloads that `bytes` completes, in order.
  std::vector<std::string> Consume(std::string_view bytes);

  bool overflowed() const { return overflowed_; }

 private:
  void EndLine(std::vector<std::string>& payloads);

  std::string line_;
  bool overflowed_ = false;
};

}  // namespace baton::frontend
