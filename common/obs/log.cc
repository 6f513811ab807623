#include "common/obs/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/config/config_source.h"
#include "common/json/json.h"
#include "common/obs/log_context.h"

namespace baton {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%L%$ %n: %v";
constexpr const char* kJsonPattern =
    R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","component":"%n",%v})";

// The process's logger. Replaced once by StartLog, before threads start.
struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  LogFormat format = LogFormat::kText;
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

Sink MakeSink(const LogOptions& options) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  Sink sink;
  sink.format = options.format;
  if (sink.format == LogFormat::kAuto) sink.format = terminal ? LogFormat::kText : LogFormat::kJson;
  const bool color =
      terminal && sink.format == LogFormat::kText && !ProcessEnvironment()("NO_COLOR").has_value();
  auto out = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      color ? spdlog::color_mode::always : spdlog::color_mode::never);
  sink.logger = std::make_shared<spdlog::logger>(options.component, std::move(out));
  sink.logger->set_level(ToSpdlog(options.level));
  sink.logger->set_pattern(sink.format == LogFormat::kText ? kTextPattern : kJsonPattern,
                           spdlog::pattern_time_type::utc);
  return sink;
}

Sink& ProcessSink() {
  static Sink& sink = *new Sink(
      MakeSink({.component = "baton", .level = LogLevel::kWarning, .format = LogFormat::kText}));
  return sink;
}

// A text value is quoted only where it would not read as one word.
void AppendTextValue(std::string& line, const LogField& field) {
  const bool plain =
      !field.value.empty() && field.value.find_first_of(" \"=\\") == std::string::npos &&
      std::all_of(field.value.begin(), field.value.end(),
                  [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
  line += plain ? field.value : QuoteJson(field.value);
}

void AppendField(std::string& line, LogFormat format, const LogField& field) {
  if (format == LogFormat::kText) {
    absl::StrAppend(&line, " ", ToAbsl(field.key), "=");
    AppendTextValue(line, field);
  } else {
    absl::StrAppend(&line, ",", QuoteJson(field.key), ":",
                    field.bare ? field.value : QuoteJson(field.value));
  }
}

void WriteLine(LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
               uint64_t left_out = 0) {
  const Sink& sink = ProcessSink();
  if (!sink.logger->should_log(ToSpdlog(level))) return;
  std::string body = FormatLogBody(sink.format, message, fields);
  if (left_out > 0) AppendField(body, sink.format, {"left_out", left_out});
  sink.logger->log(ToSpdlog(level), spdlog::string_view_t(body));
}

}  // namespace

LogField::LogField(std::string_view field_key, const absl::Status& status)
    : key(field_key), value(status.ToString(absl::StatusToStringMode::kWithNoExtraData)) {}

LogField::LogField(std::string_view field_key, double number)
    : key(field_key), value(absl::StrCat(number)), bare(number - number == 0) {}  // not inf, nan

void StartLog(const LogOptions& options) { ProcessSink() = MakeSink(options); }

void FlushLog() { ProcessSink().logger->flush(); }

std::string FormatLogBody(LogFormat format, std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string body = format == LogFormat::kText ? std::string(message)
                                                : absl::StrCat("\"msg\":", QuoteJson(message));
  if (const LogContext* context = LogContext::Current(); context != nullptr) {
    AppendField(body, format, {"request_id", context->request_id()});
    if (!context->trace_id().empty()) AppendField(body, format, {"trace_id", context->trace_id()});
  }
  for (const LogField& field : fields) AppendField(body, format, field);
  return body;
}

void LogDebug(std::string_view message, std::initializer_list<LogField> fields) {
  WriteLine(LogLevel::kDebug, message, fields);
}
void LogInfo(std::string_view message, std::initializer_list<LogField> fields) {
  WriteLine(LogLevel::kInfo, message, fields);
}
void LogWarning(std::string_view message, std::initializer_list<LogField> fields) {
  WriteLine(LogLevel::kWarning, message, fields);
}
void LogError(std::string_view message, std::initializer_list<LogField> fields) {
  WriteLine(LogLevel::kError, message, fields);
}

void LogThrottle::Write(LogLevel level, std::string_view message,
                        std::initializer_list<LogField> fields) {
  uint64_t left_out = 0;
  {
    MutexLock lock(mutex_);
    const MonotonicTime now = clock_.Now();
    if (now < next_) {
      ++left_out_;
      return;
    }
    next_ = now + interval_;
    left_out = left_out_;
    left_out_ = 0;
  }
  WriteLine(level, message, fields, left_out);
}

void LogThrottle::Info(std::string_view message, std::initializer_list<LogField> fields) {
  Write(LogLevel::kInfo, message, fields);
}
void LogThrottle::Warning(std::string_view message, std::initializer_list<LogField> fields) {
  Write(LogLevel::kWarning, message, fields);
}
void LogThrottle::Error(std::string_view message, std::initializer_list<LogField> fields) {
  Write(LogLevel::kError, message, fields);
}

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return InvalidArgument("log level: expected debug, info, warning or error");
}

absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "auto") return LogFormat::kAuto;
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return InvalidArgument("log format: expected auto, text or json");
}

}  // namespace baton
