#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/mapped_file.h"
#include "worker/loader/safetensors_header.h"
#include "worker/loader/tensor_source.h"

namespace baton::worker {

// The safetensors files of a Hugging Face directory: model.safetensors, or the shards that
// model.safetensors.index.json names.
//
// Threading, Ownership: as TensorSource.
// Errors:    from Open: NOT_FOUND when there is neither; INVALID_ARGUMENT for a damaged file or an
//            index that promises what a shard does not hold, naming file and tensor.
class SafetensorsSource final : public TensorSource {
 public:
  static absl::StatusOr<std::unique_ptr<SafetensorsSource>> Open(const std::string& directory);

  // Whether `directory` holds such files.
  static bool IsIn(const std::string& directory);

  std::string_view description() const override { return directory_; }

 private:
  struct Shard {
    std::string name;
    MappedFile file;
    std::vector<SafetensorsEntry> entries;
  };

  explicit SafetensorsSource(std::string directory) : directory_(std::move(directory)) {}

  absl::Status AddShards(const std::vector<std::string>& names);
  absl::Status AddShard(const std::string& name);
  absl::Status AddEntry(const Shard& shard, const SafetensorsEntry& entry);

  std::string directory_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace baton::worker
