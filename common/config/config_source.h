#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/option_table.h"

namespace baton {

// Looks an environment variable up; empty if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own environment: the only getenv of the tree.
Environment ProcessEnvironment();

// What the user asked for besides the options.
struct LoadedConfig {
  enum class Action { kRun, kShowHelp, kShowVersion };
  Action action = Action::kRun;
  std::vector<std::string> positional;
};

// Fills the table's fields: flags over environment (BATON_<FLAG>) over the YAML file named by
// --config or BATON_CONFIG (empty: none) over defaults. Flags: `--name value`, `--name=value`,
// `--flag`, `--no-flag`, `-q`, `--` ends them; '_' is read as '-'. A repeatable option takes all
// words up to the next flag (`--name a b`), so positional arguments come before it or after `--`.
// The file is a map of the same names; a repeatable option takes a list there, and a map is the
// JSON that its option is on the command line. `--help` and `--version` win over everything else.
//
// `arguments` are those after the program's name.
// Errors: INVALID_ARGUMENT for an unknown name (with the nearest known one), a bad or missing
// value, or a malformed file; NOT_FOUND for a file that cannot be read. Fields may then have been
// written in part: the caller prints the error and exits.
absl::StatusOr<LoadedConfig> LoadConfig(const OptionTable& table,
                                        std::span<const std::string> arguments,
                                        const Environment& environment);

// The arguments of main after the program's name.
std::vector<std::string> ArgumentsOfMain(int argc, char** argv);

}  // namespace baton
