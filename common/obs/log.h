#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/concurrency/mutex.h"

namespace baton {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kAuto, kText, kJson };  // kAuto: text on a terminal, else JSON

// What one process logs, and how. Lines go to standard error.
struct LogOptions {
  std::string component;  // "router": on every line
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
};

// Sets the process's log up; before the first call, warnings and errors go out as text.
// Called by main before threads start. NO_COLOR is honoured in the text format.
void StartLog(const LogOptions& options);

// Writes out what is buffered. Called last in main.
void FlushLog();

// One `key=value` of a line. Keys are constants of ours; values are ids, counts, names, reasons.
// Never prompts, completions, keys, or anything else a client wrote.
struct LogField {
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const char* text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const std::string& text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, bool truth)
      : key(field_key), value(truth ? "true" : "false"), bare(true) {}
  LogField(std::string_view field_key, const absl::Status& status);
  LogField(std::string_view field_key, double number);
  template <std::integral Integer>
  LogField(std::string_view field_key, Integer number)
      : key(field_key), value(std::to_string(number)), bare(true) {}

  std::string_view key;
  std::string value;
  bool bare = false;  // written without quotes in JSON
};

// Writes one line: a constant message and its fields, after the request id of the LogContext.
//
//   LogInfo("worker joined", {{"worker", id}, {"blocks", block_count}});
//
// INFO = state transition or lifecycle; WARNING = degraded but serving; ERROR = a request or worker
// lost through our fault; nothing per token or per step.
//
// Threading: any thread.
void LogDebug(std::string_view message, std::initializer_list<LogField> fields = {});
void LogInfo(std::string_view message, std::initializer_list<LogField> fields = {});
void LogWarning(std::string_view message, std::initializer_list<LogField> fields = {});
void LogError(std::string_view message, std::initializer_list<LogField> fields = {});

// Limits lines that a peer can provoke, to one per interval; the next line that passes says how
// many were left out.
//
//   LogThrottle bad_frame_log_{std::chrono::seconds(5)};
//   bad_frame_log_.Warning("bad frame", {{"worker", id}});
//
// Threading: thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(Duration interval, Clock& clock = RealClock())
      : interval_(interval), clock_(clock) {}

  void Info(std::string_view message, std::initializer_list<LogField> fields = {});
  void Warning(std::string_view message, std::initializer_list<LogField> fields = {});
  void Error(std::string_view message, std::initializer_list<LogField> fields = {});

 private:
  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);

  const Duration interval_;
  Clock& clock_;
  Mutex mutex_;
  MonotonicTime next_ ABSL_GUARDED_BY(mutex_) = MonotonicTime::min();
  uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
};

// "debug", "info", "warning", "error" and "auto", "text", "json".
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name);
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name);

// Renders a line's body in either format; the tests of the formats call it directly.
std::string FormatLogBody(LogFormat format, std::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace baton
