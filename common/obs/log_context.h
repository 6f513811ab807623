#pragma once

#include <string>
#include <string_view>

namespace baton {

// Puts a request's id on every log line of this thread, for a scope. Callbacks that work for a
// request open one; contexts nest, the innermost counts.
//
//   LogContext context(request.id, request.trace.trace_id_hex());
//   LogInfo("request finished", {...});     // carries request_id and trace_id
//
// Threading: belongs to the thread that made it. Ownership: copies both strings.
class LogContext {
 public:
  explicit LogContext(std::string_view request_id, std::string_view trace_id = {});
  ~LogContext();

  LogContext(const LogContext&) = delete;
  LogContext& operator=(const LogContext&) = delete;

  // The innermost context of the calling thread, or null.
  static const LogContext* Current();

  const std::string& request_id() const { return request_id_; }
  const std::string& trace_id() const { return trace_id_; }

 private:
  const std::string request_id_;
  const std::string trace_id_;
  const LogContext* const outer_;
};

}  // namespace baton
