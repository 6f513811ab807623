#include "frontend/http/net_inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/check.h"

namespace baton::frontend {

NetInbox::NetInbox(Clock& clock)
    : clock_(clock), event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  BATON_CHECK(event_fd_ >= 0) << "eventfd: errno " << errno;
}

NetInbox::~NetInbox() { close(event_fd_); }

void NetInbox::Wake() {
  const uint64_t one = 1;
  BATON_CHECK(write(event_fd_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)))
      << "eventfd write: errno " << errno;
}

void NetInbox::PostReady(ConnectionId id) {
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    posted_.ready.push_back(id);
    wake = !std::exchange(signalled_, true);
  }
  if (wake) Wake();
}

void NetInbox::PostAccepted(AcceptedSocket accepted) {
  bool wake = false;
  bool closed = false;
  const int fd = accepted.fd;
  {
    MutexLock lock(mutex_);
    closed = closed_;
    if (!closed) {
      posted_.accepted.push_back(std::move(accepted));
      wake = !std::exchange(signalled_, true);
    }
  }
  if (closed) close(fd);
  if (wake) Wake();
}

void NetInbox::PostCommand(Command command) {
  if (command == kDrain) draining_.store(true, std::memory_order_relaxed);
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    posted_.commands |= command;
    wake = !std::exchange(signalled_, true);
  }
  if (wake) Wake();
}

void NetInbox::Take(Batch* batch) {
  batch->ready.clear();
  batch->accepted.clear();
  batch->commands = 0;
  uint64_t count = 0;
  // Before the batch is taken: what is posted afterwards signals again.
  if (read(event_fd_, &count, sizeof(count)) < 0 && errno != EAGAIN) {
    BATON_CHECK(errno == EINTR) << "eventfd read: errno " << errno;
  }
  MutexLock lock(mutex_);
  signalled_ = false;
  std::swap(*batch, posted_);
}

void NetInbox::Close() {
  Batch dropped;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    std::swap(dropped, posted_);
  }
  for (const AcceptedSocket& socket : dropped.accepted) close(socket.fd);
}

}  // namespace baton::frontend
