#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

namespace baton {

// A named thread that ends with its owner. The only kind of thread in the tree: nothing is ever
// detached, and every thread shows up by name in `top -H` and in a debugger.
//
//   OwnedThread engine_("engine", [this](std::stop_token stop) { Run(stop); });
//
// The body must return soon after its token is stopped; where it sleeps on a queue, the owner
// closes the queue too. SIGTERM and SIGINT are blocked in the new thread, so that the main
// thread's TerminationSignals gets them.
//
// Threading: thread-compatible; made, joined and destroyed by the owner.
// Ownership: the destructor requests a stop and joins. What the body captures must outlive it:
//            declare the thread as the last member.
class OwnedThread {
 public:
  // `name` is cut to the kernel's 15 characters. `stack_bytes` 0: the system's usual size; of a
  // larger stack only what is touched costs memory.
  OwnedThread(std::string name, std::function<void(std::stop_token)> body, size_t stack_bytes = 0);
  ~OwnedThread();

  OwnedThread(const OwnedThread&) = delete;
  OwnedThread& operator=(const OwnedThread&) = delete;

  // Asks the body to return; idempotent, does not wait.
  void RequestStop() { stop_.request_stop(); }

  // Waits for the body to return; idempotent. REQUIRES: not called from the thread itself.
  void Join();

  // True on the thread that runs the body.
  bool IsCurrent() const { return pthread_equal(pthread_self(), thread_) != 0; }

  const std::string& name() const { return name_; }

 private:
  static void* Main(void* self);

  const std::string name_;
  const std::function<void(std::stop_token)> body_;
  std::stop_source stop_;
  pthread_t thread_{};
  bool joined_ = false;
};

// Names the calling thread for debuggers and `top -H`; for threads that we do not start, like main.
void NameThisThread(const std::string& name);

}  // namespace baton
