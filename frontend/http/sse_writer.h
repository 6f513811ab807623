#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "frontend/http/http_types.h"

namespace baton::frontend {

// Server-sent events over a sink.
//
//   SseWriter events(sink);
//   events.Begin();
//   events.Data(chunk_json);         // data: {…}
//   events.Done();                   // data: [DONE], and the end of the answer
//
// Threading: as ResponseSink: calls come one after another, from any thread.
// Ownership: shares the sink.
// Errors:    false once the client is gone: stop producing.
class SseWriter {
 public:
  explicit SseWriter(std::shared_ptr<ResponseSink> sink) : sink_(std::move(sink)) {}

  // Sends the head with the headers that keep proxies from buffering, and `more_headers`.
  void Begin(HttpHeaders more_headers = {});

  bool Data(std::string_view payload) { return Event("", payload); }
  // With an `event:` line unless `name` is empty. A payload of several lines becomes several
  // `data:` lines, which clients join again.
  bool Event(std::string_view name, std::string_view payload);
  // A line that clients ignore: keeps proxies from closing a quiet stream.
  bool Comment(std::string_view text);

  void Done();
  // Ends the answer without [DONE].
  void Finish() { sink_->Finish(); }

 private:
  const std::shared_ptr<ResponseSink> sink_;
  std::string buffer_;  // reused, so that steady streaming allocates nothing
};

// Appends one event in wire form; for callers that gather several before one Write.
void AppendSseEvent(std::string_view name, std::string_view payload, std::string* out);

}  // namespace baton::frontend
