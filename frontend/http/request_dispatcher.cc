#include "frontend/http/request_dispatcher.h"

#include <exception>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <variant>

#include "common/obs/log.h"
#include "frontend/http/request_id.h"

namespace baton::frontend {
namespace {

// The maker's end of an Exchange; the last copy that dies ends an answer that nobody gave.
class ExchangeSink final : public ResponseSink {
 public:
  ExchangeSink(std::shared_ptr<Exchange> exchange, HttpResponse unanswered)
      : exchange_(std::move(exchange)), unanswered_(std::move(unanswered)) {}
  ~ExchangeSink() override { exchange_->Abandon(std::move(unanswered_)); }

  void Respond(HttpResponse response) override { exchange_->Respond(std::move(response)); }
  void BeginStream(int status, HttpHeaders headers) override {
    exchange_->BeginStream(status, std::move(headers));
  }
  bool Write(std::string_view bytes) override { return exchange_->Write(bytes); }
  void Finish() override { exchange_->Finish(); }
  void OnGone(std::function<void()> callback) override { exchange_->OnGone(std::move(callback)); }

 private:
  const std::shared_ptr<Exchange> exchange_;
  HttpResponse unanswered_;
};

}  // namespace

RequestDispatcher::RequestDispatcher(const HttpServerOptions& options, const RouteTable& routes)
    : options_(options), routes_(routes) {}

void RequestDispatcher::Dispatch(ReceivedRequest received) {
  const std::shared_ptr<Exchange> exchange = std::move(received.exchange);
  received.share = BodyShare();
  if (exchange->gone()) return;
  std::optional<HttpRequest> request = parser_.Parse(received.head);
  if (!request.has_value()) {
    exchange->Respond(options_.format_error(400, "malformed request line"));
    return;
  }
  const std::string& root = options_.root_path;
  const bool has_root = !root.empty() && request->path.starts_with(root + "/");
  if (has_root) request->path.erase(0, root.size());
  request->body = std::move(received.body);
  request->remote_address = std::move(received.remote_address);
  request->request_id = RequestIdOf(request->headers);

  const RouteTable::Result found = routes_.Find(request->method, request->path);
  const auto* match = std::get_if<RouteTable::Match>(&found);
  const std::string_view route = match != nullptr ? match->pattern : std::string_view();
  HttpHeaders common = CorsHeaders(options_.cors, request->headers);
  if (options_.echo_request_id) common.emplace_back("x-request-id", request->request_id);
  exchange->Describe({request->method, route, request->request_id}, std::move(common));

  std::optional<HttpResponse> answer = AnswerPreflight(options_.cors, *request);
  for (size_t i = 0; i < options_.filters.size() && !answer.has_value(); ++i) {
    answer = options_.filters[i](*request);
  }
  if (!answer.has_value() && match == nullptr) {
    const auto* refused = std::get_if<RouteTable::MethodNotAllowed>(&found);
    answer = AnswerUnrouted(*request, refused, has_root);
  }
  if (answer.has_value()) {
    exchange->Respond(*std::move(answer));
    return;
  }
  request->path_parameters = match->parameters;
  Start(*std::move(request), *match->handler, exchange);
}

HttpResponse RequestDispatcher::AnswerUnrouted(const HttpRequest& request,
                                               const RouteTable::MethodNotAllowed* refused,
                                               bool has_root) const {
  if (refused == nullptr) {
    if (auto elsewhere = RedirectWithoutSlash(request, has_root)) return *std::move(elsewhere);
  }
  const bool asks_options = request.method == "OPTIONS" && (refused || request.path == "*");
  const int status = asks_options ? 204 : refused != nullptr ? 405 : 404;
  HttpResponse answer = asks_options ? HttpResponse{status, {}, ""}
                                     : options_.format_error(status, StatusPhrase(status));
  if (refused != nullptr) answer.headers.emplace_back("allow", refused->allow);
  return answer;
}

std::optional<HttpResponse> RequestDispatcher::RedirectWithoutSlash(const HttpRequest& request,
                                                                    bool has_root) const {
  if (!request.path.ends_with('/')) return std::nullopt;
  const std::string shorter = request.path.substr(0, request.path.find_last_not_of('/') + 1);
  const RouteTable::Result found = routes_.Find(request.method, shorter);
  const auto* match = std::get_if<RouteTable::Match>(&found);
  // Only to a path that is written in the table: nothing that a client decoded goes into a header.
  if (match == nullptr || match->pattern != shorter) return std::nullopt;
  std::string location = has_root ? options_.root_path : "";
  location += match->pattern;
  if (!request.query.empty()) location += "?" + request.query;
  return HttpResponse{307, {{"location", std::move(location)}}, ""};
}

void RequestDispatcher::Start(HttpRequest request, const HttpHandler& handler,
                              const std::shared_ptr<Exchange>& exchange) {
  auto sink =
      std::make_shared<ExchangeSink>(exchange, options_.format_error(500, StatusPhrase(500)));
  const std::string request_id = request.request_id;
  try {
    handler(std::move(request), sink);
  } catch (const std::exception& error) {
    // The sink dies with its last holder and answers for us. The message may quote the request and
    // is left out; the exception's type says where to look.
    LogError("handler threw", {{"request", request_id}, {"type", typeid(error).name()}});
  }
}

}  // namespace baton::frontend
