#include "frontend/cli/model_path.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/config/config_source.h"

namespace baton::frontend {

absl::StatusOr<std::string> ResolveModelPath(std::string_view model,
                                             const std::string& models_folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (model.empty()) return InvalidArgument("no model is named");
  if (fs::exists(model, error)) return std::string(model);
  const fs::path folder = fs::path(models_folder) / model;
  if (!fs::is_directory(folder, error)) {
    return NotFound(absl::StrCat("model ", ToAbsl(model),
                                 " is neither a path nor a fetched name; fetch it with: "
                                 "deploy/models.sh ",
                                 ToAbsl(model)));
  }
  if (fs::exists(folder / "config.json", error)) return folder.string();
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".gguf") files.push_back(entry.path().string());
  }
  if (files.size() == 1) return files[0];
  return InvalidArgument(absl::StrCat("model folder ", folder.string(), " holds ", files.size(),
                                      " GGUF files; name one of them"));
}

std::string DefaultModelsFolder() {
  const Environment environment = ProcessEnvironment();
  if (const auto folder = environment("BATON_MODELS"); folder.has_value() && !folder->empty()) {
    return *folder;
  }
  return environment("HOME").value_or(".") + "/.cache/baton/models";
}

}  // namespace baton::frontend
