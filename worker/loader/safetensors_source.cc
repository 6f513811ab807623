#include "worker/loader/safetensors_source.h"

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "worker/loader/bounded_json.h"

namespace baton::worker {
namespace {

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";

std::string Join(const std::string& directory, std::string_view name) {
  return (std::filesystem::path(directory) / name).string();
}

bool Exists(const std::string& directory, std::string_view name) {
  std::error_code ignored;
  return std::filesystem::exists(Join(directory, name), ignored);
}

// Tensor name to file name, as the index states it.
absl::StatusOr<std::map<std::string, std::string>> ReadIndex(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(const JsonConfig index,
                   JsonConfig::Parse(file.bytes(), std::string(kIndexFile)));
  ASSIGN_OR_RETURN(const std::optional<JsonConfig> map, index.GetObject("weight_map"));
  if (!map.has_value()) {
    return InvalidArgument(absl::StrCat("load ", ToAbsl(kIndexFile), ": weight_map is missing"));
  }
  std::map<std::string, std::string> files;
  for (const std::string& tensor : map->Keys()) {
    ASSIGN_OR_RETURN(const std::string name, map->GetString(tensor));
    if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') {
      return InvalidArgument(absl::StrCat("load ", ToAbsl(kIndexFile), ": tensor=", tensor,
                                          " lies in '", name, "', which is no file name"));
    }
    files.emplace(tensor, name);
  }
  return files;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SafetensorsSource>> SafetensorsSource::Open(
    const std::string& directory) {
  std::unique_ptr<SafetensorsSource> source(new SafetensorsSource(directory));
  if (!IsIn(directory)) {
    return NotFound(absl::StrCat("open model: path=", directory, " holds neither ",
                                 ToAbsl(kSingleFile), " nor ", ToAbsl(kIndexFile)));
  }
  // The file before an index that an earlier save may have left beside it, as transformers has it.
  if (Exists(directory, kSingleFile)) {
    RETURN_IF_ERROR(source->AddShards({std::string(kSingleFile)}));
    return source;
  }
  ASSIGN_OR_RETURN(const auto index, ReadIndex(Join(directory, kIndexFile)));
  std::set<std::string> names;
  for (const auto& [tensor, file] : index) names.insert(file);
  RETURN_IF_ERROR(source->AddShards({names.begin(), names.end()}));
  for (const auto& [tensor, file] : index) {
    const SourceTensor* found = source->Find(tensor);
    if (found == nullptr || found->file != file) {
      return InvalidArgument(absl::StrCat("load ", file, ": tensor=", tensor,
                                          " is not there, though the index says so"));
    }
  }
  return source;
}

bool SafetensorsSource::IsIn(const std::string& directory) {
  return Exists(directory, kSingleFile) || Exists(directory, kIndexFile);
}

absl::Status SafetensorsSource::AddShards(const std::vector<std::string>& names) {
  for (const std::string& name : names) RETURN_IF_ERROR(AddShard(name));
  return absl::OkStatus();
}

absl::Status SafetensorsSource::AddShard(const std::string& name) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(Join(directory_, name)));
  ASSIGN_OR_RETURN(std::vector<SafetensorsEntry> entries, ParseSafetensors(file.bytes(), name));
  shards_.push_back(std::make_unique<Shard>(Shard{name, std::move(file), std::move(entries)}));
  for (const SafetensorsEntry& entry : shards_.back()->entries) {
    RETURN_IF_ERROR(AddEntry(*shards_.back(), entry));
  }
  return absl::OkStatus();
}

absl::Status SafetensorsSource::AddEntry(const Shard& shard, const SafetensorsEntry& entry) {
  SourceTensor tensor{.name = entry.name,
                      .file = shard.name,
                      .dtype = entry.dtype,
                      .format = FindWeightFormat(entry.dtype),
                      .shape = {},
                      .bytes = entry.bytes};
  if (entry.shape.size() <= Shape::kRankMax) {
    tensor.shape = Shape(entry.shape);
  } else {
    tensor.format.reset();  // no weight of ours has so many dimensions
  }
  if (Add(tensor)) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("load ", shard.name, ": tensor=", entry.name, " is also in ",
                                      ToAbsl(Find(entry.name)->file)));
}

}  // namespace baton::worker
