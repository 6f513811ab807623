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

OwnedThread::OwnedThread(std::string name, std::function<void(std::stop_token)> body,
                         size_t stack_bytes)
    : name_(std::move(name)), body_(std::move(body)) {
  pthread_attr_t attributes;
  BATON_CHECK(pthread_attr_init(&attributes) == 0) << "pthread_attr_init";
  if (stack_bytes > 0) {
    BATON_CHECK(pthread_attr_setstacksize(&attributes, stack_bytes) == 0)
        << "thread '" << name_ << "': stack_bytes=" << stack_bytes;
  }
  const int error = pthread_create(&thread_, &attributes, &OwnedThread::Main, this);
  pthread_attr_destroy(&attributes);
  BATON_CHECK(error == 0) << "thread '" << name_ << "' cannot start: error=" << error;
}

OwnedThread::~OwnedThread() {
  RequestStop();
  Join();
}

void* OwnedThread::Main(void* self) {
  auto& thread = *static_cast<OwnedThread*>(self);
  BlockTerminationSignals();
  NameThisThread(thread.name_);
  thread.body_(thread.stop_.get_token());
  return nullptr;
}

void OwnedThread::Join() {
  if (joined_) return;
  BATON_CHECK(!IsCurrent()) << "thread '" << name_ << "' joins itself";
  BATON_CHECK(pthread_join(thread_, nullptr) == 0) << "thread '" << name_ << "' cannot be joined";
  joined_ = true;
}

void NameThisThread(const std::string& name) {
  const std::string shortened = name.substr(0, 15);
  prctl(PR_SET_NAME, shortened.c_str(), 0, 0, 0);
}

}  // namespace baton
