// Starts a program as a child that ends with us.
//
// The child gets its own process group, so that Ctrl-C on the terminal reaches the supervisor
// alone, which then ends its children in order; and it is sent SIGTERM by the kernel should the
// supervisor die. It inherits standard streams, the environment and the listed sockets,
// nothing else.
//
// Threading: StartProcess forks: called by a process that has one thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::frontend {

struct ProcessSpec {
  std::string program;                 // path
  std::vector<std::string> arguments;  // without argv[0]
  std::vector<int> inherited_fds;      // keep their numbers
  // "NAME=value"; added to our own environment, or in place of what it says.
  std::vector<std::string> environment = {};
};

// Errors: INTERNAL when the process cannot be made, NOT_FOUND when the program is not there.
absl::StatusOr<pid_t> StartProcess(const ProcessSpec& spec);

// The folder of this program, where its siblings lie.
std::string ProgramFolder();

}  // namespace baton::frontend
