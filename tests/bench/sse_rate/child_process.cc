#include "tests/bench/sse_rate/child_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "common/base/check.h"

namespace baton::bench {

Pipe::~Pipe() {
  close(read_fd_);
  close(write_fd_);
}

void Pipe::SendBytes(const void* bytes, size_t size) {
  if (write(write_fd_, bytes, size) == static_cast<ssize_t>(size)) return;
  std::perror("sse_rate: write to the other process");
  _exit(1);
}

void Pipe::ReceiveBytes(void* bytes, size_t size) {
  // A value is smaller than what a pipe takes at once, so it comes whole or not at all.
  if (read(read_fd_, bytes, size) == static_cast<ssize_t>(size)) return;
  std::fprintf(stderr, "sse_rate: the other process has ended\n");
  _exit(1);
}

void Pipe::WaitForEnd() {
  char ignored = 0;
  while (read(read_fd_, &ignored, 1) > 0) {
  }
}

ChildProcess::ChildProcess(const std::function<void(Pipe& parent)>& run) {
  int down[2];
  int up[2];
  BATON_CHECK(::pipe(down) == 0 && ::pipe(up) == 0) << "pipe";
  std::fflush(stdout);
  child_ = fork();
  BATON_CHECK(child_ >= 0) << "fork";
  if (child_ == 0) {
    close(down[1]);
    close(up[0]);
    Pipe parent(down[0], up[1]);
    run(parent);
    std::fflush(stdout);
    _exit(0);
  }
  close(down[0]);
  close(up[1]);
  pipe_.emplace(up[0], down[1]);
}

ChildProcess::~ChildProcess() {
  pipe_.reset();
  waitpid(child_, nullptr, 0);
}

}  // namespace baton::bench
