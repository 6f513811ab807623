// `baton-worker dump`: what every layer of a model makes of a prompt, written to a file.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"

namespace baton::worker {

// `arguments` are those behind "dump". Errors: those of DumpLayers; INVALID_ARGUMENT for options.
absl::Status RunDump(std::span<const std::string> arguments);

}  // namespace baton::worker
