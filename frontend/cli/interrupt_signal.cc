#include "frontend/cli/interrupt_signal.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/check.h"

namespace baton::frontend {
namespace {

sigset_t OnlyInterrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

InterruptSignal::InterruptSignal() {
  const sigset_t signals = OnlyInterrupt();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  BATON_CHECK(fd_ >= 0) << "signalfd";
}

InterruptSignal::~InterruptSignal() {
  close(fd_);
  const sigset_t signals = OnlyInterrupt();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

bool InterruptSignal::Take() {
  signalfd_siginfo info;
  bool taken = false;
  while (read(fd_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) taken = true;
  return taken;
}

}  // namespace baton::frontend
