#include "common/config/program.h"

#include <exception>
#include <iostream>

#include "common/base/build_info.h"
#include "common/config/config_source.h"

namespace baton {

int RunProgram(std::string_view program, int argc, char** argv,
               const std::function<int(std::span<const std::string>)>& run) {
  try {
    return run(ArgumentsOfMain(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << std::endl;
    return kExitFailure;
  }
}

std::optional<int> ReadOptions(const OptionTable& table, std::span<const std::string> arguments,
                               const std::function<absl::Status()>& validate,
                               std::vector<std::string>* positional) {
  absl::StatusOr<LoadedConfig> loaded = LoadConfig(table, arguments, ProcessEnvironment());
  if (!loaded.ok()) return Fail(table.program(), loaded.status(), kExitUsage);
  switch (loaded->action) {
    case LoadedConfig::Action::kShowHelp:
      std::cout << table.HelpText() << std::flush;
      return 0;
    case LoadedConfig::Action::kShowVersion:
      // "baton chat" is a part of "baton".
      std::cout << table.program().substr(0, table.program().find(' ')) << " " << Version()
                << std::endl;
      return 0;
    case LoadedConfig::Action::kRun:
      break;
  }
  if (validate) {
    const absl::Status valid = validate();
    if (!valid.ok()) return Fail(table.program(), valid, kExitUsage);
  }
  if (positional != nullptr) *positional = std::move(loaded->positional);
  return std::nullopt;
}

int Fail(std::string_view program, const absl::Status& reason, int status) {
  std::cerr << program << ": " << reason.message() << std::endl;
  return status;
}

}  // namespace baton
