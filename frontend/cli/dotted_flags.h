// Flags of vLLM that are JSON, a member at a time: `--name.member value`, or `--name.list+ a,b` to
// put items behind a list. They become one `--name JSON`, behind the other arguments. `-O3` becomes
// `--optimization-level 3`.
//
// Threading: pure.
// Errors:    INVALID_ARGUMENT naming the flag: no value, or a member of what is no object.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::frontend {

absl::StatusOr<std::vector<std::string>> FoldDottedFlags(std::span<const std::string> arguments);

}  // namespace baton::frontend
