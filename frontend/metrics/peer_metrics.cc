#include "frontend/metrics/peer_metrics.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "frontend/metrics/exposition.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kOwnComponent = "frontend";
constexpr size_t kPageBytesMax = size_t{16} << 20;
constexpr timeval kStepTimeout = {.tv_sec = 1, .tv_usec = 0};
constexpr std::chrono::seconds kPageTimeout{3};  // one byte at a time would be steps without end

// A connected socket, closed with its owner.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

int Connect(const MetricsPeer& peer) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(peer.port);
  if (getaddrinfo(peer.host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int fd = -1;
  for (const addrinfo* it = found; it != nullptr && fd < 0; it = it->ai_next) {
    fd = socket(it->ai_family, it->ai_socktype | SOCK_CLOEXEC, it->ai_protocol);
    if (fd < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kStepTimeout, sizeof kStepTimeout);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kStepTimeout, sizeof kStepTimeout);
    if (connect(fd, it->ai_addr, it->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  return fd;
}

absl::Status SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Unavailable("fetch metrics: the peer takes no bytes");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReceiveAll(int fd) {
  std::string bytes;
  std::array<char, 16384> chunk;
  const MonotonicTime deadline = RealClock().Now() + kPageTimeout;
  while (bytes.size() <= kPageBytesMax) {
    if (RealClock().Now() > deadline) return Unavailable("fetch metrics: the peer is too slow");
    const ssize_t received = recv(fd, chunk.data(), chunk.size(), 0);
    if (received < 0) return Unavailable("fetch metrics: the peer does not answer");
    if (received == 0) return bytes;
    bytes.append(chunk.data(), static_cast<size_t>(received));
  }
  return Unavailable(absl::StrCat("fetch metrics: bytes=", bytes.size(), "/", kPageBytesMax));
}

}  // namespace

absl::StatusOr<MetricsPeer> ParsePeer(std::string_view text) {
  const absl::Status bad =
      InvalidArgument("metrics peer: expected COMPONENT=http://HOST:PORT[/PATH]");
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad;
  MetricsPeer peer{.component = std::string(text.substr(0, equals)), .path = "/metrics"};
  for (const char c : peer.component) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!word) return bad;
  }
  std::string_view url = text.substr(equals + 1);
  constexpr std::string_view kScheme = "http://";
  if (url.substr(0, kScheme.size()) == kScheme) url.remove_prefix(kScheme.size());
  const size_t slash = url.find('/');
  if (slash != std::string_view::npos) peer.path = std::string(url.substr(slash));
  url = url.substr(0, slash);
  const size_t colon = url.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad;
  peer.host = std::string(url.substr(0, colon));
  if (peer.host.size() > 2 && peer.host.front() == '[') {
    peer.host = peer.host.substr(1, peer.host.size() - 2);
  }
  if (!absl::SimpleAtoi(ToAbsl(url.substr(colon + 1)), &peer.port)) return bad;
  return peer.port > 0 && peer.port < 65536 ? absl::StatusOr<MetricsPeer>(peer) : bad;
}

absl::StatusOr<std::string> FetchPage(const MetricsPeer& peer) {
  const Connection connection(Connect(peer));
  if (connection.fd() < 0) return Unavailable("fetch metrics: no connection");
  const std::string request = absl::StrCat("GET ", peer.path, " HTTP/1.0\r\nHost: ", peer.host,
                                           "\r\nConnection: close\r\n\r\n");
  const absl::Status sent = SendAll(connection.fd(), request);
  if (!sent.ok()) return sent;
  absl::StatusOr<std::string> answer = ReceiveAll(connection.fd());
  if (!answer.ok()) return answer;
  const size_t body = answer->find("\r\n\r\n");
  if (body == std::string::npos || answer->find(" 200 ") > 12) {
    return Unavailable("fetch metrics: the answer is no 200");
  }
  return answer->substr(body + 4);
}

PeerMetrics::PeerMetrics(std::vector<MetricsPeer> peers, MetricsRegistry& registry)
    : peers_(std::move(peers)),
      registry_(registry),
      failures_total_(registry.AddCounter("baton_frontend_peer_scrape_failures_total",
                                          "Peers that were left out of a metrics page.")),
      thread_("peers", [this](std::stop_token) { Serve(); }) {}

PeerMetrics::~PeerMetrics() {
  scrapes_.Close();
  thread_.Join();
}

void PeerMetrics::Collect(Callback callback) {
  if (scrapes_.TryPush(callback) != PushResult::kPushed) {
    callback(MergeExpositions({{std::string(kOwnComponent), registry_.Expose()}}));
  }
}

void PeerMetrics::Serve() {
  while (std::optional<Callback> callback = scrapes_.Pop()) {
    const std::string page = CollectNow();
    (*callback)(page);
    // Peers that answer slowly are asked once for all that have come meanwhile.
    while (std::optional<Callback> other = scrapes_.TryPop()) (*other)(page);
  }
}

std::string PeerMetrics::CollectNow() {
  std::vector<ExpositionPage> pages;
  for (const MetricsPeer& peer : peers_) {
    absl::StatusOr<std::string> page = FetchPage(peer);
    if (page.ok()) {
      pages.push_back({.component = peer.component, .text = *std::move(page)});
    } else {
      failures_total_.Increment();
    }
  }
  pages.push_back({.component = std::string(kOwnComponent), .text = registry_.Expose()});
  return MergeExpositions(pages);
}

}  // namespace baton::frontend
