#include "frontend/cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace baton::frontend {
namespace {

constexpr int kExecFailed = 127;

// Ours, with the variables of the child in place of those of the same name.
std::vector<std::string> EnvironmentOf(const ProcessSpec& spec) {
  std::vector<std::string> variables = spec.environment;
  for (char** own = environ; *own != nullptr; ++own) {
    const std::string_view variable(*own);
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    const bool replaced =
        std::any_of(spec.environment.begin(), spec.environment.end(),
                    [name](const std::string& changed) { return changed.starts_with(name); });
    if (!replaced) variables.emplace_back(variable);
  }
  return variables;
}

// As exec wants it: ended by a null pointer.
std::vector<char*> PointersTo(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(const ProcessSpec& spec, char* const* arguments,
                                char* const* environment, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kExecFailed);  // the parent died before prctl
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int fd : spec.inherited_fds) fcntl(fd, F_SETFD, 0);
  execve(spec.program.c_str(), arguments, environment);
  _exit(kExecFailed);
}

}  // namespace

absl::StatusOr<pid_t> StartProcess(const ProcessSpec& spec) {
  if (access(spec.program.c_str(), X_OK) != 0) {
    return NotFound(absl::StrCat("start: program=", spec.program, ": ", std::strerror(errno)));
  }
  std::vector<std::string> words = {spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<char*> arguments = PointersTo(words);
  std::vector<std::string> variables = EnvironmentOf(spec);
  std::vector<char*> environment = PointersTo(variables);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return Internal(absl::StrCat("start: program=", spec.program, ": ", std::strerror(errno)));
  }
  if (child == 0) BecomeProgram(spec, arguments.data(), environment.data(), parent);
  return child;
}

std::string ProgramFolder() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

}  // namespace baton::frontend
