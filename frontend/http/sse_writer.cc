#include "frontend/http/sse_writer.h"

#include <utility>

namespace baton::frontend {

void AppendSseEvent(std::string_view name, std::string_view payload, std::string* out) {
  if (!name.empty()) {
    out->append("event: ");
    out->append(name);
    out->push_back('\n');
  }
  while (true) {
    const size_t end = payload.find_first_of("\r\n");
    out->append("data: ");
    out->append(payload.substr(0, end));
    out->push_back('\n');
    if (end == std::string_view::npos) break;
    const bool crlf = payload.substr(end, 2) == "\r\n";
    payload.remove_prefix(end + (crlf ? 2 : 1));
  }
  out->push_back('\n');
}

void SseWriter::Begin(HttpHeaders more_headers) {
  HttpHeaders headers = {{"content-type", "text/event-stream; charset=utf-8"},
                         {"cache-control", "no-cache"},
                         {"x-accel-buffering", "no"}};
  for (auto& header : more_headers) headers.push_back(std::move(header));
  sink_->BeginStream(200, std::move(headers));
}

bool SseWriter::Event(std::string_view name, std::string_view payload) {
  buffer_.clear();
  AppendSseEvent(name, payload, &buffer_);
  return sink_->Write(buffer_);
}

bool SseWriter::Comment(std::string_view text) {
  buffer_.assign(": ");
  buffer_.append(text.substr(0, text.find_first_of("\r\n")));
  buffer_.append("\n\n");
  return sink_->Write(buffer_);
}

void SseWriter::Done() {
  Data("[DONE]");
  sink_->Finish();
}

}  // namespace baton::frontend
