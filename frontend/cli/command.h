// One subcommand of `baton`: a function in a file of its own, and a line in commands.def.
//
// Threading: called by main, before any thread is started.
// Errors:    a command prints one clear line on standard error itself; its result is the exit
// status.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace baton::frontend {

struct Command {
  std::string_view name;
  std::string_view summary;  // one line of `baton --help`
  int (*run)(std::span<const std::string> arguments);
};

// Every command of commands.def, in its order.
std::span<const Command> Commands();

}  // namespace baton::frontend
