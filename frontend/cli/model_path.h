// From what a user typed after `baton serve` to the files of a model.
//
// Threading: any thread; reads the file system.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton::frontend {

// A path that exists (a directory or a GGUF file) is taken as it is. Anything else is a name under
// `models_folder`, where deploy/models.sh puts what it fetches: the only GGUF file of the folder
// NAME, or the folder itself when it holds a config.json.
// Errors: NOT_FOUND, saying how to fetch it; INVALID_ARGUMENT when the folder is ambiguous.
absl::StatusOr<std::string> ResolveModelPath(std::string_view model,
                                             const std::string& models_folder);

// $BATON_MODELS, or ~/.cache/baton/models.
std::string DefaultModelsFolder();

}  // namespace baton::frontend
