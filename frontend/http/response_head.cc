#include "frontend/http/response_head.h"

#include <ctime>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

bool IsFramingHeader(std::string_view name) {
  return EqualsIgnoringCase(name, "content-length") ||
         EqualsIgnoringCase(name, "transfer-encoding") || EqualsIgnoringCase(name, "connection");
}

void AppendPrintable(std::string_view text, std::string* out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\t' || (byte >= 0x20 && byte != 0x7f)) out->push_back(c);
  }
}

void AppendHeaders(const HttpHeaders& headers, std::string* out) {
  for (const auto& [name, value] : headers) {
    if (IsFramingHeader(name)) continue;
    AppendPrintable(name, out);
    out->append(": ");
    AppendPrintable(value, out);
    out->append("\r\n");
  }
}

// The Date header, formatted once a second for each thread.
const std::string& DateLine(WallTime now) {
  static thread_local int64_t formatted_second = -1;
  static thread_local std::string line;
  const int64_t second = UnixSeconds(now);
  if (second != formatted_second) {
    const auto time = static_cast<time_t>(second);
    tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    const size_t size = strftime(text, sizeof(text), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    line.assign(text, size);
    formatted_second = second;
  }
  return line;
}

}  // namespace

void AppendResponseHead(int status, const HttpHeaders& headers, const HttpHeaders& more_headers,
                        const ResponseFraming& framing, std::string* out) {
  absl::StrAppend(out, "HTTP/1.1 ", status, " ", ToAbsl(StatusPhrase(status)), "\r\n");
  out->append(DateLine(framing.now));
  AppendHeaders(headers, out);
  AppendHeaders(more_headers, out);
  switch (framing.body) {
    case ResponseBody::kLength:
      absl::StrAppend(out, "content-length: ", framing.content_length, "\r\n");
      break;
    case ResponseBody::kChunked:
      out->append("transfer-encoding: chunked\r\n");
      break;
    case ResponseBody::kUntilClose:
    case ResponseBody::kNone:
      break;
  }
  out->append(framing.keep_alive ? "\r\n" : "connection: close\r\n\r\n");
}

}  // namespace baton::frontend
