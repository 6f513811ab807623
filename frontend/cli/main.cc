// baton: serves a model on this machine, and talks to one that is served.
#include <algorithm>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "common/base/build_info.h"
#include "common/config/edit_distance.h"
#include "common/config/program.h"
#include "frontend/cli/command.h"

namespace {

using baton::frontend::Command;
using baton::frontend::Commands;

// run_batch is typed run-batch.
std::string Typed(std::string_view name) {
  std::string typed(name);
  std::ranges::replace(typed, '_', '-');
  return typed;
}

void PrintHelp(std::ostream& out) {
  out << "usage: baton COMMAND [options]\n\ncommands:\n";
  for (const Command& command : Commands()) {
    out << "  " << Typed(command.name) << std::string(12 - command.name.size(), ' ')
        << command.summary << "\n";
  }
  out << "\n`baton COMMAND --help` lists the options of a command.\n";
}

int UnknownCommand(const std::string& typed) {
  std::vector<std::string> names;
  for (const Command& command : Commands()) names.push_back(Typed(command.name));
  std::cerr << "baton: unknown command: " << typed;
  const std::string nearest = baton::NearestName(typed, names);
  if (!nearest.empty()) std::cerr << "; did you mean " << nearest << "?";
  std::cerr << "\n";
  return baton::kExitUsage;
}

int Run(std::span<const std::string> arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments[0] == "help") {
    PrintHelp(arguments.empty() ? std::cerr : std::cout);
    return arguments.empty() ? baton::kExitUsage : 0;
  }
  if (arguments[0] == "--version") {
    std::cout << "baton " << baton::Version() << "\n";
    return 0;
  }
  const auto commands = Commands();
  const auto command = std::find_if(
      commands.begin(), commands.end(),
      [&](const Command& candidate) { return Typed(candidate.name) == Typed(arguments[0]); });
  if (command == commands.end()) return UnknownCommand(arguments[0]);
  return command->run(arguments.subspan(1));
}

}  // namespace

int main(int argc, char** argv) { return baton::RunProgram("baton", argc, argv, Run); }
