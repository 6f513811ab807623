#include "tests/bench/http_bench/load_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/base/check.h"
#include "common/base/clock.h"

namespace baton::frontend {
namespace {

// Every answer of the benchmark server ends in this, as does every chunk.
constexpr char kMark = '}';

struct Client {
  int fd = -1;
  MonotonicTime since;
  bool got_anything = false;
};

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BATON_CHECK(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
      << "connect: errno " << errno;
  return fd;
}

double PercentileUs(std::vector<int64_t>& samples, double fraction) {
  if (samples.empty()) return 0;
  const auto at = static_cast<ptrdiff_t>(fraction * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + at, samples.end());
  return static_cast<double>(samples[static_cast<size_t>(at)]) / 1e3;
}

class LoadRun {
 public:
  explicit LoadRun(const Load& load) : load_(load), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
    clients_.resize(static_cast<size_t>(load.connections));
    for (size_t i = 0; i < clients_.size(); ++i) {
      clients_[i].fd = Connect(load.port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, clients_[i].fd, &event);
      Send(clients_[i]);
    }
  }

  ~LoadRun() {
    for (const Client& client : clients_) close(client.fd);
    close(epoll_fd_);
  }

  LoadResult Run() {
    LoadResult result;
    const MonotonicTime start = RealClock().Now();
    const auto duration =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(load_.seconds));
    std::vector<epoll_event> events(512);
    while (RealClock().Now() - start < duration) {
      const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) Receive(clients_[events[static_cast<size_t>(i)].data.u64]);
    }
    result.completed = completed_;
    result.seconds = ToSeconds(RealClock().Now() - start);
    result.p50_us = PercentileUs(samples_, 0.5);
    result.p99_us = PercentileUs(samples_, 0.99);
    result.connected =
        static_cast<int>(std::count_if(clients_.begin(), clients_.end(),
                                       [](const Client& client) { return client.got_anything; }));
    return result;
  }

 private:
  void Send(Client& client) {
    client.since = RealClock().Now();
    BATON_CHECK(send(client.fd, load_.request.data(), load_.request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(load_.request.size()))
        << "send: errno " << errno;
  }

  void Receive(Client& client) {
    char bytes[16384];
    const ssize_t got = recv(client.fd, bytes, sizeof(bytes), 0);
    BATON_CHECK(got > 0) << "the server closed a connection: errno " << errno;
    const auto marks = std::count(bytes, bytes + got, kMark);
    if (marks == 0) return;
    const MonotonicTime now = RealClock().Now();
    completed_ += static_cast<uint64_t>(marks);
    if (!load_.is_stream || client.got_anything) {
      samples_.push_back((now - client.since).count());
    }
    client.got_anything = true;
    client.since = now;
    if (!load_.is_stream) Send(client);
  }

  const Load& load_;
  const int epoll_fd_;
  std::vector<Client> clients_;
  uint64_t completed_ = 0;
  std::vector<int64_t> samples_;
};

}  // namespace

LoadResult RunLoad(const Load& load) { return LoadRun(load).Run(); }

}  // namespace baton::frontend
