// What the mains of all programs share: options in, help and version out, and one line on standard
// error when something is wrong.
//
//   int Run(std::span<const std::string> arguments) {
//     RouterOptions options;
//     OptionTable table("baton-router", "Decides which worker serves a request.");
//     DescribeOptions(table, options);
//     if (const std::optional<int> status = ReadOptions(table, arguments)) return *status;
//     …
//   }
//   int main(int argc, char** argv) { return baton::RunProgram("baton-router", argc, argv, Run); }
//
// Threading: used by main, before other threads are started.
// Errors:    become a line on standard error and an exit status.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/config/option_table.h"

namespace baton {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;  // wrong options

// Runs the program on the arguments after its name. An exception that nobody caught is a failure.
int RunProgram(std::string_view program, int argc, char** argv,
               const std::function<int(std::span<const std::string>)>& run);

// Fills the table's fields from arguments, environment and file, and has them checked. A status
// when that was all: --help or --version is answered, or an option is wrong, which has been said.
// `positional` gets the arguments that belong to no option.
std::optional<int> ReadOptions(const OptionTable& table, std::span<const std::string> arguments,
                               const std::function<absl::Status()>& validate = {},
                               std::vector<std::string>* positional = nullptr);

// Says what went wrong and returns `status`.
int Fail(std::string_view program, const absl::Status& reason, int status = kExitFailure);

}  // namespace baton
