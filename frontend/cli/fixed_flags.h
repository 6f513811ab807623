// Flags of `vllm serve` whose value is settled here, so that a command line that worked there
// works: what they ask for is always so, or means nothing. They are accepted and left out of
// --help.
//
//   FixedFlags flags;
//   flags.AddTo(table);
//   ... the command line is read ...
//   ASSIGN_OR_RETURN(std::vector<std::string> notes, flags.Notes());   // what to tell the user
//
// Threading: plain data, filled by main. Ownership: outlives the table.
// Errors:    INVALID_ARGUMENT from Notes for a value under which answers would be others.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/option_table.h"

namespace baton::frontend {

class FixedFlags {
 public:
  void AddTo(OptionTable& table);

  // A line for each flag that asked for what is not so.
  absl::StatusOr<std::vector<std::string>> Notes() const;

 private:
  std::map<std::string, bool> switches_;
  std::map<std::string, std::optional<std::string>> texts_;
  std::map<std::string, std::vector<std::string>> lists_;
};

}  // namespace baton::frontend
