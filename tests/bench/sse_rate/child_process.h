// A forked process with a pipe in each direction.
//
//   ChildProcess child([](Pipe& parent) { parent.Send(ServeSomething()); });
//   const int port = child.pipe().Receive<int>();
//
// Threading: made before its process has threads; used from one.
// Ownership: the destructor closes the pipes, which the child takes as its end, and waits for it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>

namespace baton::bench {

// One side's ends of both pipes. What cannot be sent or received ends the process: the other side
// is gone, and it has said why.
class Pipe {
 public:
  Pipe(int read_fd, int write_fd) : read_fd_(read_fd), write_fd_(write_fd) {}
  ~Pipe();

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  template <typename T>
  void Send(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    SendBytes(&value, sizeof(value));
  }
  template <typename T>
  T Receive() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    ReceiveBytes(&value, sizeof(value));
    return value;
  }
  // Blocks until the other side has closed its end.
  void WaitForEnd();

 private:
  void SendBytes(const void* bytes, size_t size);
  void ReceiveBytes(void* bytes, size_t size);

  const int read_fd_;
  const int write_fd_;
};

class ChildProcess {
 public:
  explicit ChildProcess(const std::function<void(Pipe& parent)>& run);
  ~ChildProcess();

  Pipe& pipe() { return *pipe_; }

 private:
  pid_t child_ = -1;
  std::optional<Pipe> pipe_;
};

}  // namespace baton::bench
