// The response object, in each of its states, and the events of its stream.
//
//   ResponseObject response("resp_1", created, "model", request.EchoJson());
//   ResponseEvents events;
//   events.AppendResponse("response.created", response.Json({.status = "in_progress"}), &out);
//
// Threading: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::frontend {

struct ResponseUsage {
  uint32_t input_tokens = 0;
  uint32_t cached_tokens = 0;
  uint32_t output_tokens = 0;
  uint32_t reasoning_tokens = 0;
};

// What changes in a response while it is made. Texts are complete JSON values.
struct ResponseState {
  std::string_view status;  // "queued", "in_progress", "completed", …
  std::string_view output_json = "[]";
  std::string_view incomplete_reason = {};   // "max_output_tokens", or none
  std::string_view error_json = "null";      // {"code","message"}
  std::optional<int64_t> completed_at = {};  // Unix time
  std::optional<ResponseUsage> usage = {};
};

class ResponseObject {
 public:
  // `echo_json`: the members that repeat the request (ResponsesRequest::EchoJson).
  ResponseObject(std::string id, int64_t created_at, std::string_view model,
                 std::string_view echo_json);

  const std::string& id() const { return id_; }
  std::string Json(const ResponseState& state) const;

 private:
  const std::string id_;
  const std::string fixed_json_;  // id, object, created_at, model, echo
};

// What went wrong, as ResponseState::error_json.
std::string ResponseErrorJson(int http_status, std::string_view message);

// Numbers the events of one stream, from 0 and without gaps.
class ResponseEvents {
 public:
  explicit ResponseEvents(int64_t next = 0) : next_(next) {}

  // {"type","sequence_number","response"}
  void AppendResponse(std::string_view type, std::string_view response_json, std::string* out);
  // {"type","sequence_number", members…}; `members` has no braces.
  void Append(std::string_view type, std::string_view members, std::string* out);

  int64_t next() const { return next_; }

 private:
  int64_t next_;
};

}  // namespace baton::frontend
