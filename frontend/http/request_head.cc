#include "frontend/http/request_head.h"

#include <algorithm>
#include <string>

#include "frontend/http/http_types.h"

namespace baton::frontend {
namespace {

constexpr int kLengthDigitsMax = 18;  // fits an int64

bool IsTokenChar(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

// Visible characters, blanks and bytes above ASCII; no other control character.
bool IsFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Goes through a head line by line and gathers what frames the message.
class HeadCheck {
 public:
  explicit HeadCheck(const HeadLimits& limits) : limits_(limits) {}

  std::optional<HeadError> RequestLine(std::string_view line) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) {
      return HeadError{400, "malformed request line"};
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!IsToken(method)) return HeadError{400, "malformed method"};
    if (target.size() > limits_.target_bytes_max) return HeadError{414, "URI Too Long"};
    const bool visible = std::all_of(target.begin(), target.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte > 0x20 && byte != 0x7f;
    });
    if (target.empty() || !visible) return HeadError{400, "malformed request target"};
    if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.') {
      return HeadError{400, "malformed HTTP version"};
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      return HeadError{505, "HTTP Version Not Supported"};
    }
    framing_.http_1_0 = version == "HTTP/1.0";
    framing_.keep_alive = !framing_.http_1_0;
    framing_.is_head_method = method == "HEAD";
    return std::nullopt;
  }

  std::optional<HeadError> Field(std::string_view line) {
    if (++header_count_ > limits_.header_count_max) return HeadError{431, "too many headers"};
    if (line.size() > limits_.line_bytes_max) return HeadError{431, "a header is too long"};
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return HeadError{400, "header without a colon"};
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = TrimBlanks(line.substr(colon + 1));
    if (!IsToken(name)) return HeadError{400, "malformed header name"};
    if (!IsFieldValue(value)) return HeadError{400, "malformed header value"};
    return Meaning(name, value);
  }

  std::variant<HeadFraming, HeadError> Finish() const {
    if (host_count_ > 1 || (host_count_ == 0 && !framing_.http_1_0)) {
      return HeadError{400, "exactly one Host header is required"};
    }
    if (has_length_ && has_coding_) {
      return HeadError{400, "Content-Length together with Transfer-Encoding"};
    }
    if (has_coding_ && framing_.http_1_0) {
      return HeadError{400, "Transfer-Encoding in an HTTP/1.0 request"};
    }
    return framing_;
  }

 private:
  std::optional<HeadError> Meaning(std::string_view name, std::string_view value) {
    if (EqualsIgnoringCase(name, "content-length")) return Length(value);
    if (EqualsIgnoringCase(name, "transfer-encoding")) return Coding(value);
    if (EqualsIgnoringCase(name, "host")) ++host_count_;
    if (EqualsIgnoringCase(name, "connection")) ConnectionOptions(value);
    if (EqualsIgnoringCase(name, "content-encoding") && !EqualsIgnoringCase(value, "identity")) {
      return HeadError{415, "compressed request bodies are not accepted"};
    }
    if (EqualsIgnoringCase(name, "expect")) {
      if (!EqualsIgnoringCase(value, "100-continue")) return HeadError{417, "Expectation Failed"};
      framing_.expects_continue = !framing_.http_1_0;
    }
    return std::nullopt;
  }

  std::optional<HeadError> Length(std::string_view value) {
    if (has_length_) return HeadError{400, "more than one Content-Length"};
    has_length_ = true;
    const bool digits =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (value.empty() || !digits) return HeadError{400, "malformed Content-Length"};
    if (value.size() > kLengthDigitsMax) return HeadError{413, "Content Too Large"};
    framing_.content_length = std::stoull(std::string(value));
    framing_.body = framing_.content_length > 0 ? BodyKind::kLength : BodyKind::kNone;
    return std::nullopt;
  }

  std::optional<HeadError> Coding(std::string_view value) {
    if (has_coding_ || !EqualsIgnoringCase(value, "chunked")) {
      return HeadError{400, "unknown Transfer-Encoding"};
    }
    has_coding_ = true;
    framing_.body = BodyKind::kChunked;
    return std::nullopt;
  }

  void ConnectionOptions(std::string_view value) {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      const std::string_view option = TrimBlanks(value.substr(0, comma));
      if (EqualsIgnoringCase(option, "close")) {
        framing_.keep_alive = false;
        close_asked_ = true;
      }
      if (EqualsIgnoringCase(option, "keep-alive") && !close_asked_) framing_.keep_alive = true;
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    }
  }

  const HeadLimits& limits_;
  HeadFraming framing_;
  size_t header_count_ = 0;
  int host_count_ = 0;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool close_asked_ = false;
};

// Cuts the next line, which must end in CRLF and hold no other CR, LF or NUL.
std::optional<std::string_view> TakeLine(std::string_view* rest) {
  const size_t end = rest->find('\n');
  if (end == std::string_view::npos || end == 0 || (*rest)[end - 1] != '\r') return std::nullopt;
  const std::string_view line = rest->substr(0, end - 1);
  rest->remove_prefix(end + 1);
  const bool stray =
      std::any_of(line.begin(), line.end(), [](char c) { return c == '\r' || c == 0; });
  return stray ? std::nullopt : std::optional(line);
}

}  // namespace

std::optional<size_t> FindHeadEnd(std::string_view buffer, size_t* scanned) {
  // A line that is empty ends the head, whether its end is CRLF or a bare LF: the latter is then
  // refused by CheckHead instead of being waited for.
  for (size_t at = buffer.find('\n', *scanned); at != std::string_view::npos;
       at = buffer.find('\n', at + 1)) {
    const bool empty_crlf = at >= 2 && buffer[at - 1] == '\r' && buffer[at - 2] == '\n';
    const bool empty_lf = at >= 1 && buffer[at - 1] == '\n';
    if (empty_crlf || empty_lf) return at + 1;
  }
  *scanned = buffer.size();
  return std::nullopt;
}

std::variant<HeadFraming, HeadError> CheckHead(std::string_view head, const HeadLimits& limits) {
  HeadCheck check(limits);
  std::string_view rest = head;
  bool is_request_line = true;
  while (!rest.empty()) {
    const std::optional<std::string_view> line = TakeLine(&rest);
    if (!line.has_value()) return HeadError{400, "malformed line ending"};
    if (line->empty()) break;
    if (!is_request_line && (line->front() == ' ' || line->front() == '\t')) {
      return HeadError{400, "folded header line"};
    }
    const std::optional<HeadError> error =
        is_request_line ? check.RequestLine(*line) : check.Field(*line);
    if (error.has_value()) return *error;
    is_request_line = false;
  }
  if (is_request_line) return HeadError{400, "malformed request line"};
  return check.Finish();
}

}  // namespace baton::frontend
