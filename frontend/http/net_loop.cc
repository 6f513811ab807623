#include "frontend/http/net_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "common/base/check.h"

namespace baton::frontend {
namespace {

constexpr uint64_t kListenerId = 0;
constexpr uint64_t kInboxId = 1;
constexpr uint64_t kFirstConnectionId = 2;
constexpr int kAcceptsPerTurn = 64;
constexpr size_t kRefusalsMax = 128;  // clients over the limit that are told so; further are cut
// Deadlines are seconds long, so looking at all of them a few times a second is exact enough and
// costs less than keeping them sorted.
constexpr Duration kSweepPeriod = std::chrono::milliseconds(250);

void Watch(int epoll_fd, int fd, uint64_t id, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  BATON_CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) << "epoll_ctl: errno " << errno;
}

}  // namespace

void ConnectionCount::Remove() {
  if (--count_ > 0) return;
  { MutexLock lock(mutex_); }  // a waiter is either before its check or in its wait
  none_.SignalAll();
}

bool ConnectionCount::WaitForNone(Clock& clock, MonotonicTime deadline) {
  MutexLock lock(mutex_);
  while (count() > 0) {
    if (!none_.WaitUntil(clock, lock, deadline)) return count() == 0;
  }
  return true;
}

NetLoop::NetLoop(int index, const ConnectionContext& context, ConnectionCount& count)
    : index_(index),
      context_(context),
      count_(count),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      spare_fd_(open("/dev/null", O_RDONLY | O_CLOEXEC)),
      next_id_(kFirstConnectionId),
      next_sweep_(context.clock.Now() + kSweepPeriod) {
  BATON_CHECK(epoll_fd_ >= 0) << "epoll_create1: errno " << errno;
  Watch(epoll_fd_, context.inbox->event_fd(), kInboxId, EPOLLIN);
}

NetLoop::~NetLoop() {
  BATON_CHECK(!thread_.has_value()) << "net loop " << index_ << " destroyed while it runs";
  close(epoll_fd_);
  if (spare_fd_ >= 0) close(spare_fd_);
}

void NetLoop::Start(std::optional<Listener> listener,
                    std::vector<std::shared_ptr<NetInbox>> inboxes) {
  listener_ = std::move(listener);
  inboxes_ = std::move(inboxes);
  if (listener_.has_value()) Watch(epoll_fd_, listener_->fd(), kListenerId, EPOLLIN);
  thread_.emplace("net-" + std::to_string(index_), [this](const std::stop_token&) { Run(); });
}

void NetLoop::Join() { thread_.reset(); }

int NetLoop::WaitMs() const {
  if (!unfinished_.empty()) return 0;
  if (connections_.empty()) return -1;
  return static_cast<int>(
      std::chrono::duration_cast<std::chrono::milliseconds>(kSweepPeriod).count());
}

void NetLoop::Run() {
  std::array<epoll_event, 256> events;
  while (!stopping_) {
    const int count =
        epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), WaitMs());
    BATON_CHECK(count >= 0 || errno == EINTR) << "epoll_wait: errno " << errno;
    for (int i = 0; i < count; ++i) {
      HandleEvent(events[static_cast<size_t>(i)].data.u64, events[static_cast<size_t>(i)].events);
    }
    HandleUnfinished();
    if (context_.clock.Now() >= next_sweep_) Sweep();
  }
  context_.inbox->Close();
}

void NetLoop::HandleEvent(uint64_t id, uint32_t events) {
  if (id == kListenerId) {
    if (listener_.has_value()) AcceptSome();
  } else if (id == kInboxId) {
    HandleInbox();
  } else if (const auto it = connections_.find(id); it != connections_.end()) {
    it->second->OnEvents(events);
    AfterTurn(*it->second, id);
  }
}

void NetLoop::AfterTurn(Connection& connection, ConnectionId id) {
  if (connection.closed()) {
    connections_.erase(id);
    count_.Remove();
  } else if (connection.has_more_work()) {
    unfinished_.push_back(id);
  }
}

void NetLoop::HandleUnfinished() {
  std::vector<ConnectionId> ids = std::exchange(unfinished_, {});
  for (const ConnectionId id : ids) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) continue;
    it->second->OnReady();
    AfterTurn(*it->second, id);
  }
}

void NetLoop::HandleInbox() {
  context_.inbox->Take(&batch_);
  for (AcceptedSocket& accepted : batch_.accepted) Add(std::move(accepted));
  for (const ConnectionId id : batch_.ready) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) continue;
    it->second->OnReady();
    AfterTurn(*it->second, id);
  }
  const unsigned commands = batch_.commands;
  if ((commands & NetInbox::kStopAccepting) != 0 && listener_.has_value()) {
    listener_->Close();  // leaves the epoll set with its last descriptor
    listener_.reset();
  }
  if ((commands & (NetInbox::kDrain | NetInbox::kCutAll)) != 0) {
    std::vector<ConnectionId> ids;
    ids.reserve(connections_.size());
    for (const auto& [id, connection] : connections_) ids.push_back(id);
    for (const ConnectionId id : ids) {
      Connection& connection = *connections_.at(id);
      if ((commands & NetInbox::kCutAll) != 0) {
        connection.Cut(HttpEvent::kAnswerAbandoned);
      } else {
        connection.OnDrain();
      }
      AfterTurn(connection, id);
    }
  }
  if ((commands & NetInbox::kStop) != 0) stopping_ = true;
}

void NetLoop::Sweep() {
  const MonotonicTime now = context_.clock.Now();
  next_sweep_ = now + kSweepPeriod;
  std::vector<ConnectionId> closed;
  for (const auto& [id, connection] : connections_) {
    connection->OnSweep(now);
    if (connection->closed()) closed.push_back(id);
  }
  for (const ConnectionId id : closed) AfterTurn(*connections_.at(id), id);
}

void NetLoop::AcceptSome() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    AcceptedSocket accepted;
    switch (AcceptOne(listener_->fd(), &accepted)) {
      case AcceptResult::kNothing:
        return;
      case AcceptResult::kOutOfDescriptors: {
        // The client would stay in the backlog and wake us for ever: take it and let it go.
        context_.Count(HttpEvent::kConnectionRefused);
        if (spare_fd_ >= 0) close(spare_fd_);
        if (AcceptOne(listener_->fd(), &accepted) == AcceptResult::kAccepted) close(accepted.fd);
        spare_fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return;
      }
      case AcceptResult::kAccepted:
        break;
    }
    next_inbox_ = (next_inbox_ + 1) % inboxes_.size();
    if (inboxes_[next_inbox_] == context_.inbox) {
      Add(std::move(accepted));
    } else {
      inboxes_[next_inbox_]->PostAccepted(std::move(accepted));
    }
  }
}

void NetLoop::Add(AcceptedSocket accepted) {
  const bool within_limit = count_.Add();
  if (count_.count() > count_.connections_max() + kRefusalsMax) {
    context_.Count(HttpEvent::kConnectionRefused);
    close(accepted.fd);
    count_.Remove();
    return;
  }
  const ConnectionId id = next_id_++;
  const int fd = accepted.fd;
  auto& connection = connections_[id];
  connection = std::make_unique<Connection>(context_, id, std::move(accepted));
  Watch(epoll_fd_, fd, id, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  if (within_limit) {
    connection->OnEvents(EPOLLIN | EPOLLOUT);  // the request is often there already
  } else {
    connection->Refuse();
  }
  // Another loop may deal out a socket after this one was told to drain.
  if (context_.inbox->draining()) connection->OnDrain();
  AfterTurn(*connection, id);
}

}  // namespace baton::frontend
