// The way of a checkpoint's files from disk to the plan of its weights.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"
#include "worker/loader/checkpoint.h"
#include "worker/model/architecture.h"
#include "worker/model/weight_plan.h"

namespace baton::worker {

// A folder of its own, gone with the object.
class FuzzFolder {
 public:
  FuzzFolder() : path_(std::filesystem::temp_directory_path() / "baton-fuzz-XXXXXX") {
    Promise(mkdtemp(path_.data()) != nullptr, "a temporary folder");
  }
  FuzzFolder(const FuzzFolder&) = delete;
  FuzzFolder& operator=(const FuzzFolder&) = delete;
  ~FuzzFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, std::string_view bytes) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

 private:
  std::string path_;
};

// All that a worker does with a checkpoint before it reads weights.
inline absl::Status PlanCheckpoint(const std::string& path) {
  static const ArchitectureRegistry registry = ArchitectureRegistry::Builtin().value();
  const auto checkpoint = Checkpoint::Open(path);
  if (!checkpoint.ok()) return checkpoint.status();
  const auto architecture = registry.Find(*checkpoint);
  if (!architecture.ok()) return architecture.status();
  const auto spec = ReadSpec(**architecture, *checkpoint);
  if (!spec.ok()) return spec.status();
  return WeightPlan(*spec, (*architecture)->names, *checkpoint).CheckAgainst(checkpoint->tensors());
}

inline void UseCheckpoint(const std::string& path) {
  const absl::Status status = PlanCheckpoint(path);
  if (!status.ok()) PromiseRefusal(status);
}

}  // namespace baton::worker
