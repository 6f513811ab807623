#include "common/concurrency/owned_thread.h"

#include <sys/prctl.h>

#include <csignal>
#include <utility>

#include "common/base/check.h"

namespace baton {
namespace {

void BlockTerminationSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  BATON_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0) << "pthread_sigmask";
}

}  // namespace

OwnedThread::OwnedThread(std::string name, std::function<void(std::stop_token)> body)
    : name_(std::move(name)),
      thread_([name = name_, body = std::move(body), token = stop_.get_token()] {
        BlockTerminationSignals();
        NameThisThread(name);
        body(token);
      }) {}

OwnedThread::~OwnedThread() {
  RequestStop();
  Join();
}

void OwnedThread::Join() {
  if (!thread_.joinable()) return;
  BATON_CHECK(!IsCurrent()) << "thread '" << name_ << "' joins itself";
  thread_.join();
}

void NameThisThread(const std::string& name) {
  const std::string shortened = name.substr(0, 15);
  prctl(PR_SET_NAME, shortened.c_str(), 0, 0, 0);
}

}  // namespace baton
