#include "frontend/cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton::frontend {
namespace {

constexpr int kExecFailed = 127;

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(const ProcessSpec& spec, char* const* arguments, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kExecFailed);  // the parent died before prctl
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int fd : spec.inherited_fds) fcntl(fd, F_SETFD, 0);
  execv(spec.program.c_str(), arguments);
  _exit(kExecFailed);
}

}  // namespace

absl::StatusOr<pid_t> StartProcess(const ProcessSpec& spec) {
  if (access(spec.program.c_str(), X_OK) != 0) {
    return NotFound(absl::StrCat("start: program=", spec.program, ": ", std::strerror(errno)));
  }
  std::vector<std::string> words = {spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return Internal(absl::StrCat("start: program=", spec.program, ": ", std::strerror(errno)));
  }
  if (child == 0) BecomeProgram(spec, arguments.data(), parent);
  return child;
}

std::string ProgramFolder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

}  // namespace baton::frontend
