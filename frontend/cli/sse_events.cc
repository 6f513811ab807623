#include "frontend/cli/sse_events.h"

namespace baton::frontend {

std::vector<std::string> SseEvents::Consume(std::string_view bytes) {
  std::vector<std::string> payloads;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > kLineBytesMax) {
      overflowed_ = true;
      line_.clear();
    }
    if (end == std::string_view::npos) break;
    EndLine(payloads);
    bytes.remove_prefix(end + 1);
  }
  return payloads;
}

void SseEvents::EndLine(std::vector<std::string>& payloads) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.compare(0, 5, "data:") == 0) {
    payloads.push_back(line_.substr(line_.compare(5, 1, " ") == 0 ? 6 : 5));
  }
  line_.clear();
}

}  // namespace baton::frontend
