#include "frontend/http/httplib_parser.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace baton::frontend {
namespace {

// A head in memory; whatever the library writes goes nowhere.
class HeadStream final : public httplib::Stream {
 public:
  explicit HeadStream(std::string_view head) : head_(head) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, size_t size) override {
    const size_t taken = std::min(size, head_.size());
    std::memcpy(out, head_.data(), taken);
    head_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* /*data*/, size_t size) override { return static_cast<ssize_t>(size); }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return 0; }

 private:
  std::string_view head_;
};

bool IsAddressHeader(std::string_view name) {
  return EqualsIgnoringCase(name, "REMOTE_ADDR") || EqualsIgnoringCase(name, "REMOTE_PORT") ||
         EqualsIgnoringCase(name, "LOCAL_ADDR") || EqualsIgnoringCase(name, "LOCAL_PORT");
}

bool IsLeftOut(std::string_view name) {
  return IsAddressHeader(name) || EqualsIgnoringCase(name, "range") ||
         EqualsIgnoringCase(name, "expect");
}

// The methods that the library takes; it refuses a line with any other as malformed.
bool IsLibraryMethod(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                  "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"};
  return std::ranges::find(kMethods, method) != std::end(kMethods);
}

std::string_view MethodOf(std::string_view head) { return head.substr(0, head.find(' ')); }

// "http://host/path?q" becomes "/path?q"; anything else stays.
std::string_view WithoutAuthority(std::string_view target) {
  const size_t scheme_end = target.find("://");
  if (target.front() == '/' || scheme_end == std::string_view::npos) return target;
  const size_t path = target.find('/', scheme_end + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

void AppendRequestLine(std::string_view line, std::string* out) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  const std::string_view method = line.substr(0, first);
  out->append(IsLibraryMethod(method) ? method : "GET");
  out->push_back(' ');
  out->append(WithoutAuthority(line.substr(first + 1, last - first - 1)));
  out->append(line.substr(last));
}

void AppendHeader(std::string_view line, std::string* out) {
  for (const char c : line) {
    if (c == '%') {
      out->append("%25");
    } else {
      out->push_back(c);
    }
  }
}

std::string Rewrite(std::string_view head) {
  std::string out;
  out.reserve(head.size() + 64);
  bool is_request_line = true;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (is_request_line) {
      AppendRequestLine(line, &out);
      is_request_line = false;
    } else if (IsLeftOut(line.substr(0, line.find(':')))) {
      continue;
    } else {
      AppendHeader(line, &out);
    }
    out.append("\r\n");
  }
  return out;
}

HttpRequest Take(httplib::Request& parsed) {
  HttpRequest request;
  request.method = std::move(parsed.method);
  request.path = std::move(parsed.path);
  if (const size_t mark = parsed.target.find('?'); mark != std::string::npos) {
    request.query = parsed.target.substr(mark + 1);
    request.query.resize(std::min(request.query.find('#'), request.query.size()));
  }
  request.headers.reserve(parsed.headers.size());
  for (auto& [name, value] : parsed.headers) {
    if (IsAddressHeader(name)) continue;  // the library's own
    request.headers.emplace_back(name, std::move(value));
  }
  return request;
}

}  // namespace

class HttplibParser::Engine final : public httplib::Server {
 public:
  Engine() {
    // Ends the library's own work after the parse: no routing, no body.
    set_pre_routing_handler([](const httplib::Request&, httplib::Response&) {
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  std::optional<HttpRequest> Parse(std::string_view head) {
    const std::string rewritten = Rewrite(head);
    HeadStream stream(rewritten);
    std::optional<HttpRequest> request;
    bool connection_closed = false;
    process_request(stream, false, connection_closed,
                    [&request](httplib::Request& parsed) { request = Take(parsed); });
    if (request.has_value()) request->method = MethodOf(head);
    return request;
  }
};

HttplibParser::HttplibParser() : engine_(std::make_unique<Engine>()) {}
HttplibParser::~HttplibParser() = default;

std::optional<HttpRequest> HttplibParser::Parse(std::string_view head) {
  return engine_->Parse(head);
}

}  // namespace baton::frontend
