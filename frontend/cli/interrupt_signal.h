// Ctrl-C as something to wait for, so that it stops a reply and not the program.
//
// While one lives, SIGINT is blocked and can be polled on fd(). Made before any thread is started.
//
// Threading: used by main. Ownership: one per process at a time.
#pragma once

namespace baton::frontend {

class InterruptSignal {
 public:
  InterruptSignal();
  ~InterruptSignal();

  InterruptSignal(const InterruptSignal&) = delete;
  InterruptSignal& operator=(const InterruptSignal&) = delete;

  // Readable when Ctrl-C was pressed.
  int fd() const { return fd_; }

  // True if Ctrl-C was pressed since the last call. Does not wait.
  bool Take();

 private:
  int fd_ = -1;
};

}  // namespace baton::frontend
