#pragma once

#include <atomic>

namespace baton {

// SIGTERM and SIGINT as something the main thread waits for, without a signal handler.
//
//   int main(...) {
//     TerminationSignals signals;     // before any other thread is started
//     ...
//     signals.Wait();                 // the first one: drain
//     shutdown.Run();                 // a second one kills the process (status 143 or 130)
//   }
//
// Threading: made and waited on by main; Trigger() may be called from any thread.
// Ownership: one per process; the constructor blocks both signals for the calling thread and so
//            for all threads it starts afterwards. SIGPIPE is ignored from then on, as every
//            server of ours wants EPIPE instead.
class TerminationSignals {
 public:
  TerminationSignals();
  ~TerminationSignals();

  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  // Returns the first signal that arrives (or arrived already), or SIGTERM if Trigger() was
  // called. Afterwards both signals have their default effect again: a second one ends the
  // process at once.
  int Wait();

  // Makes Wait() return as if SIGTERM had come; for an owner that must end by itself.
  void Trigger();

 private:
  int signal_fd_ = -1;
  int wake_fd_ = -1;
};

}  // namespace baton
