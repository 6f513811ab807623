// Never edited again: commands.def is the list.
#include <array>

#include "frontend/cli/command.h"

namespace baton::frontend {

#define BATON_COMMAND(name, summary) int Run_##name(std::span<const std::string> arguments);
#include "frontend/cli/commands.def"
#undef BATON_COMMAND

std::span<const Command> Commands() {
#define BATON_COMMAND(name, summary) Command{#name, summary, Run_##name},
  static const std::array commands = {
#include "frontend/cli/commands.def"
  };
#undef BATON_COMMAND
  return commands;
}

}  // namespace baton::frontend
