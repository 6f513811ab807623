#include "frontend/cli/bench_load.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "frontend/cli/sse_response.h"

namespace baton::frontend {
namespace {

using nlohmann::json;

absl::StatusOr<int> Connect(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (error != 0) {
    return Unavailable(absl::StrCat("connect: host=", endpoint.host, " ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    if (connect(fd, one->ai_addr, one->ai_addrlen) == 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return fd;
    }
    close(fd);
  }
  return Unavailable(
      absl::StrCat("connect: address=", endpoint.host, ":", endpoint.port, " ", strerror(errno)));
}

absl::Status SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Unavailable(absl::StrCat("send: ", strerror(errno)));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

std::string CommonHeaders(const Endpoint& endpoint, const std::string& api_key) {
  std::string headers = absl::StrCat("Host: ", endpoint.host, ":", endpoint.port, "\r\n");
  if (!api_key.empty()) absl::StrAppend(&headers, "Authorization: Bearer ", api_key, "\r\n");
  return headers;
}

std::string RenderRequest(const LoadOptions& options, const std::vector<uint32_t>& prompt) {
  json body = {{"model", options.model},
               {"prompt", prompt},
               {"repetition_penalty", 1.0},
               {"max_tokens", options.output_tokens},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  if (options.ignore_eos) body["ignore_eos"] = true;
  if (options.temperature.has_value()) body["temperature"] = *options.temperature;
  const std::string text = body.dump();
  return absl::StrCat("POST ", options.endpoint.path_prefix, "/v1/completions HTTP/1.1\r\n",
                      CommonHeaders(options.endpoint, options.api_key),
                      "Content-Type: application/json\r\nContent-Length: ", text.size(), "\r\n\r\n",
                      text);
}

// The bytes of every request, made before the clock starts.
std::vector<std::string> RenderRequests(const LoadOptions& options, int count) {
  std::mt19937_64 random(options.seed);
  std::uniform_int_distribution<uint32_t> token(options.vocabulary_begin,
                                                options.vocabulary_end - 1);
  std::vector<std::string> requests;
  for (int i = 0; i < count; ++i) {
    std::vector<uint32_t> prompt(static_cast<size_t>(options.input_tokens));
    std::generate(prompt.begin(), prompt.end(), [&] { return token(random); });
    requests.push_back(RenderRequest(options, prompt));
  }
  return requests;
}

// Turns the events of one stream into its record.
class StreamClock {
 public:
  void Start(MonotonicTime now) { sent_ = now; }
  MonotonicTime sent() const { return sent_; }

  void OnEvent(const std::string& payload, MonotonicTime now) {
    if (payload == "[DONE]") return;
    const json event = json::parse(payload, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object() || event.contains("error")) {
      record_.error = "the stream held an error: " + payload.substr(0, 200);
      return;
    }
    if (const auto usage = event.find("usage"); usage != event.end() && usage->is_object()) {
      record_.output_tokens = usage->value("completion_tokens", 0);
      record_.prompt_tokens = usage->value("prompt_tokens", 0);
    }
    // Every event with a choice counts, even if its text is held back, as vLLM's client does it.
    const auto choices = event.find("choices");
    if (choices != event.end() && choices->is_array() && !choices->empty()) OnToken(now);
  }

  RequestRecord Finish(int status, const std::string& body) {
    if (status != 200) record_.error = absl::StrCat("status ", status, ": ", body.substr(0, 200));
    if (record_.error.empty() && !last_.has_value()) record_.error = "the stream held no token";
    record_.ok = record_.error.empty();
    if (last_.has_value()) record_.latency = *last_ - sent_;
    return std::exchange(record_, {});
  }

  RequestRecord Fail(std::string error) {
    record_.error = std::move(error);
    return std::exchange(record_, {});
  }

 private:
  void OnToken(MonotonicTime now) {
    if (!last_.has_value()) {
      record_.time_to_first_token = now - sent_;
    } else {
      record_.inter_token_latencies.push_back(now - *last_);
    }
    last_ = now;
  }

  MonotonicTime sent_;
  std::optional<MonotonicTime> last_;
  RequestRecord record_;
};

// One of the clients that run side by side; its connection is kept from request to request.
struct Client {
  int fd = -1;
  size_t request_index = 0;
  bool busy = false;
  bool reused = false;  // the connection served an earlier request and has said nothing since
  SseResponse response;
  StreamClock clock;
};

class LoadLoop {
 public:
  explicit LoadLoop(const LoadOptions& options)
      : options_(options),
        epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
        clients_(static_cast<size_t>(options.concurrency)) {
    BATON_CHECK(epoll_fd_ >= 0) << "epoll_create1: errno " << errno;
  }

  ~LoadLoop() {
    for (Client& client : clients_) Disconnect(client);
    close(epoll_fd_);
  }

  // May be called again: connections are kept.
  LoadOutcome Run(std::vector<std::string> requests) {
    requests_ = std::move(requests);
    next_ = finished_ = 0;
    outcome_ = {};
    outcome_.requests.resize(requests_.size());
    const MonotonicTime start = RealClock().Now();
    for (Client& client : clients_) StartNext(client);
    std::vector<epoll_event> events(clients_.size());
    while (finished_ < requests_.size()) {
      const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), 1000);
      BATON_CHECK(count >= 0 || errno == EINTR) << "epoll_wait: errno " << errno;
      for (int i = 0; i < count; ++i) Receive(clients_[events[static_cast<size_t>(i)].data.u64]);
      if (count == 0) CheckTimeouts();
    }
    outcome_.elapsed = RealClock().Now() - start;
    return std::move(outcome_);
  }

 private:
  void StartNext(Client& client) {
    client.busy = false;
    while (!client.busy && next_ < requests_.size()) {
      client.request_index = next_++;
      client.response = SseResponse();
      client.clock = StreamClock();
      client.clock.Start(RealClock().Now());
      const absl::Status status = Send(client);
      client.busy = true;
      if (!status.ok()) Finish(client, client.clock.Fail(std::string(status.message())));
    }
  }

  absl::Status Send(Client& client) {
    client.reused = client.fd >= 0;
    if (client.reused) {
      if (SendAll(client.fd, requests_[client.request_index]).ok()) return absl::OkStatus();
      Disconnect(client);
    }
    client.reused = false;
    ASSIGN_OR_RETURN(client.fd, Connect(options_.endpoint));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<uint64_t>(&client - clients_.data());
    epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, client.fd, &event);
    return SendAll(client.fd, requests_[client.request_index]);
  }

  void Receive(Client& client) {
    char bytes[65536];
    const ssize_t got = recv(client.fd, bytes, sizeof(bytes), 0);
    const MonotonicTime now = RealClock().Now();
    if (!client.busy) {  // an idle connection that the server closes
      if (got <= 0) Disconnect(client);
      return;
    }
    if (got <= 0 && client.reused) {
      SendAgain(client);
      return;
    }
    client.reused = false;
    if (got <= 0) {
      client.response.EndOfInput();
    } else {
      client.response.Consume({bytes, static_cast<size_t>(got)});
    }
    if (client.response.status() == 200) {
      for (const std::string& event : client.response.TakeEvents()) {
        client.clock.OnEvent(event, now);
      }
    }
    if (client.response.state() == SseResponse::State::kDone) {
      if (got <= 0 || !client.response.keep_alive()) Disconnect(client);
      Complete(client, client.clock.Finish(client.response.status(), client.response.body()));
    } else if (client.response.state() == SseResponse::State::kMalformed) {
      Disconnect(client);
      Complete(client, client.clock.Fail("the connection ended within the answer"));
    }
  }

  // A server may close a kept connection without a word, just as a request is on its way. Then the
  // request goes out once more, on a new connection; its clock runs on.
  void SendAgain(Client& client) {
    Disconnect(client);
    const absl::Status status = Send(client);
    if (!status.ok()) Complete(client, client.clock.Fail(std::string(status.message())));
  }

  void CheckTimeouts() {
    const MonotonicTime now = RealClock().Now();
    for (Client& client : clients_) {
      if (!client.busy || now - client.clock.sent() < options_.timeout) continue;
      Disconnect(client);
      Complete(client, client.clock.Fail("no answer in time"));
    }
  }

  void Finish(Client& client, RequestRecord record) {
    outcome_.requests[client.request_index] = std::move(record);
    ++finished_;
    client.busy = false;
  }

  void Complete(Client& client, RequestRecord record) {
    Finish(client, std::move(record));
    StartNext(client);
  }

  void Disconnect(Client& client) {
    if (client.fd >= 0) close(std::exchange(client.fd, -1));
  }

  const LoadOptions options_;
  const int epoll_fd_;
  std::vector<Client> clients_;
  std::vector<std::string> requests_;
  LoadOutcome outcome_;
  size_t next_ = 0;
  size_t finished_ = 0;
};

}  // namespace

absl::StatusOr<Endpoint> ParseUrl(const std::string& url) {
  static constexpr std::string_view kScheme = "http://";
  if (url.compare(0, kScheme.size(), kScheme) != 0) {
    return InvalidArgument(absl::StrCat("url: ", url, " does not begin with http://"));
  }
  const std::string rest = url.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string authority = rest.substr(0, slash);
  Endpoint endpoint;
  endpoint.path_prefix = rest.substr(slash);
  while (!endpoint.path_prefix.empty() && endpoint.path_prefix.back() == '/') {
    endpoint.path_prefix.pop_back();
  }
  if (endpoint.path_prefix.ends_with("/v1")) {
    endpoint.path_prefix.resize(endpoint.path_prefix.size() - 3);
  }
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  if (has_port) {
    endpoint.port = std::atoi(authority.c_str() + colon + 1);
    authority.resize(colon);
  }
  if (authority.size() > 2 && authority.front() == '[') {
    authority = authority.substr(1, authority.size() - 2);
  }
  endpoint.host = authority;
  if (endpoint.host.empty() || endpoint.port <= 0 || endpoint.port > 65535) {
    return InvalidArgument(absl::StrCat("url: ", url, " has no usable host and port"));
  }
  return endpoint;
}

RequestRecord SendOne(const LoadOptions& options) {
  LoadOptions one = options;
  one.seed = options.seed + 1;  // not a prompt of the load, which would then be cached
  one.concurrency = 1;
  return LoadLoop(one).Run(RenderRequests(one, 1)).requests.at(0);
}

LoadOutcome RunLoad(const LoadOptions& options) {
  return LoadLoop(options).Run(RenderRequests(options, options.prompt_count));
}

class PromptClient::Connection : public LoadLoop {
 public:
  using LoadLoop::LoadLoop;
};

PromptClient::PromptClient(const LoadOptions& options) : options_(options) {
  options_.concurrency = 1;
  connection_ = std::make_unique<Connection>(options_);
}

PromptClient::~PromptClient() = default;

RequestRecord PromptClient::Send(const std::vector<uint32_t>& prompt) {
  return connection_->Run({RenderRequest(options_, prompt)}).requests.at(0);
}

absl::StatusOr<std::string> FirstModel(const Endpoint& endpoint, const std::string& api_key) {
  ASSIGN_OR_RETURN(const int fd, Connect(endpoint));
  const std::string request =
      absl::StrCat("GET ", endpoint.path_prefix, "/v1/models HTTP/1.1\r\n",
                   CommonHeaders(endpoint, api_key), "Connection: close\r\n\r\n");
  const absl::Status sent = SendAll(fd, request);
  SseResponse response;
  char bytes[65536];
  while (sent.ok() && response.state() != SseResponse::State::kDone &&
         response.state() != SseResponse::State::kMalformed) {
    const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    if (got > 0) {
      response.Consume({bytes, static_cast<size_t>(got)});
    } else {
      response.EndOfInput();
    }
  }
  close(fd);
  RETURN_IF_ERROR(sent);
  const json listed = json::parse(response.body(), nullptr, /*allow_exceptions=*/false);
  const json models = listed.is_object() ? listed.value("data", json::array()) : json::array();
  if (response.status() != 200 || !models.is_array() || models.empty() || !models[0].is_object()) {
    return Unavailable(absl::StrCat("list models: status=", response.status(), " names no model"));
  }
  return models[0].value("id", "");
}

}  // namespace baton::frontend
