#include "tests/bench/sse_rate/event_readers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "common/base/check.h"
#include "common/base/clock.h"

namespace baton::bench {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kWaitMs = 100;

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BATON_CHECK(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
      << "connect: errno " << errno;
  return fd;
}

}  // namespace

EventReaders::EventReaders(int port, int count, const std::string& request)
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      readers_(static_cast<size_t>(count)),
      buffer_(kReadBytes, '\0') {
  for (size_t i = 0; i < readers_.size(); ++i) {
    readers_[i].fd = Connect(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    BATON_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, readers_[i].fd, &event) == 0) << "epoll_ctl";
    BATON_CHECK(send(readers_[i].fd, request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()))
        << "send: errno " << errno;
  }
}

EventReaders::~EventReaders() {
  for (const Reader& reader : readers_) close(reader.fd);
  close(epoll_fd_);
}

void EventReaders::ReadUntilAllHave(uint64_t events_min) {
  const auto has_not = [events_min](const Reader& reader) { return reader.events < events_min; };
  while (std::any_of(readers_.begin(), readers_.end(), has_not)) ReadSome();
}

void EventReaders::ReadFor(double seconds) {
  const MonotonicTime end = RealClock().Now() + std::chrono::duration_cast<Duration>(
                                                    std::chrono::duration<double>(seconds));
  while (RealClock().Now() < end) ReadSome();
}

void EventReaders::ReadSome() {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), kWaitMs);
  for (int i = 0; i < count; ++i) Read(readers_[events[static_cast<size_t>(i)].data.u64]);
}

void EventReaders::Read(Reader& reader) {
  const ssize_t got = recv(reader.fd, buffer_.data(), buffer_.size(), 0);
  BATON_CHECK(got > 0) << "the server closed a stream: errno " << errno;
  const std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
  // An empty line ends an event, wherever the pieces are cut. No event contains one.
  uint64_t found = reader.last == '\n' && bytes.front() == '\n' ? 1 : 0;
  for (size_t at = bytes.find("\n\n"); at != std::string_view::npos;
       at = bytes.find("\n\n", at + 2)) {
    ++found;
  }
  reader.last = bytes.back();
  reader.events += found;
  event_count_ += found;
}

}  // namespace baton::bench
