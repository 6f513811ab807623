#include "common/concurrency/termination_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "common/base/check.h"

namespace baton {
namespace {

sigset_t BothSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

TerminationSignals::TerminationSignals() {
  const sigset_t set = BothSignals();
  BATON_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0) << "pthread_sigmask";
  signal(SIGPIPE, SIG_IGN);
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC);
  BATON_CHECK(signal_fd_ >= 0 && wake_fd_ >= 0) << "signalfd or eventfd: errno " << errno;
}

TerminationSignals::~TerminationSignals() {
  close(signal_fd_);
  close(wake_fd_);
}

int TerminationSignals::Wait() {
  int received = SIGTERM;
  pollfd fds[2] = {{signal_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) {
  }
  if (fds[0].revents != 0) {
    signalfd_siginfo info{};
    if (read(signal_fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
      received = static_cast<int>(info.ssi_signo);
    }
  }
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  const sigset_t set = BothSignals();
  BATON_CHECK(pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0) << "pthread_sigmask";
  return received;
}

void TerminationSignals::Trigger() {
  const uint64_t one = 1;
  BATON_CHECK(write(wake_fd_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)))
      << "eventfd write: errno " << errno;
}

}  // namespace baton
