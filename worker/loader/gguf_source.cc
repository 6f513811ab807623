#include "worker/loader/gguf_source.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

constexpr std::string_view kFirstPart = "-00001-of-";

// How the name of a part ends; numbers in names begin at 1.
std::string PartSuffix(uint64_t index, uint64_t count) {
  return absl::StrFormat("-%05d-of-%05d.gguf", index + 1, count);
}

struct Part {
  uint64_t index = 0;
  uint64_t count = 1;
};

absl::StatusOr<Part> PartOf(const GgufMetadata& metadata) {
  Part part;
  ASSIGN_OR_RETURN(part.index, metadata.GetUintOr("split.no", 0));
  ASSIGN_OR_RETURN(part.count, metadata.GetUintOr("split.count", 1));
  return part;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GgufSource>> GgufSource::Open(const std::string& path) {
  ASSIGN_OR_RETURN(GgufFile first, GgufFile::Open(path));
  ASSIGN_OR_RETURN(const Part part, PartOf(first.metadata()));
  if (part.index != 0) {
    return InvalidArgument(absl::StrCat("open model: path=", path, " is part ", part.index + 1,
                                        " of ", part.count, "; name the first"));
  }
  std::unique_ptr<GgufSource> source(new GgufSource());
  RETURN_IF_ERROR(
      source->AddFile(std::move(first), std::filesystem::path(path).filename().string()));
  if (part.count > 1) RETURN_IF_ERROR(source->AddParts(path, part.count));
  return source;
}

// NAME-00002-of-00003.gguf: digits where kFirstPart has them, and not its own.
bool GgufSource::IsLaterPart(std::string_view file_name) {
  const size_t suffix_size = PartSuffix(0, 1).size();
  if (file_name.size() < suffix_size) return false;
  const std::string_view suffix = file_name.substr(file_name.size() - suffix_size);
  for (size_t i = 0; i < kFirstPart.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(kFirstPart[i])) != 0;
    const bool alike = digit ? std::isdigit(static_cast<unsigned char>(suffix[i])) != 0
                             : suffix[i] == kFirstPart[i];
    if (!alike) return false;
  }
  return !suffix.starts_with(kFirstPart);
}

absl::Status GgufSource::AddParts(const std::string& path, uint64_t count) {
  const std::string first_suffix = PartSuffix(0, count);
  if (!path.ends_with(first_suffix)) {
    return InvalidArgument(absl::StrCat("open model: path=", path, " is the first of ", count,
                                        " parts, but its name does not end in ", first_suffix));
  }
  const std::string stem = path.substr(0, path.size() - first_suffix.size());
  for (uint64_t index = 1; index < count; ++index) {
    const std::string part_path = stem + PartSuffix(index, count);
    ASSIGN_OR_RETURN(GgufFile file, GgufFile::Open(part_path));
    ASSIGN_OR_RETURN(const Part part, PartOf(file.metadata()));
    if (part.index != index || part.count != count) {
      return InvalidArgument(absl::StrCat("open model: path=", part_path, " holds part ",
                                          part.index + 1, " of ", part.count));
    }
    RETURN_IF_ERROR(AddFile(std::move(file), std::filesystem::path(part_path).filename().string()));
  }
  ASSIGN_OR_RETURN(const uint64_t total,
                   file().metadata().GetUintOr("split.tensors.count", tensors().size()));
  if (total == tensors().size()) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("open model: path=", path, " and the other parts hold ",
                                      tensors().size(), "/", total, " tensors"));
}

absl::Status GgufSource::AddFile(GgufFile opened, std::string name) {
  const GgufFile& file = files_.emplace_back(std::move(opened));
  const std::string& file_name = names_.emplace_back(std::move(name));
  for (const GgufTensor& tensor : file.tensors()) {
    std::vector<int64_t> dims(tensor.dims.begin(), tensor.dims.end());
    std::reverse(dims.begin(), dims.end());
    const bool added = Add({.name = tensor.name,
                            .file = file_name,
                            .dtype = InfoOf(tensor.type).name,
                            .format = FindWeightFormat(InfoOf(tensor.type).name),
                            .shape = Shape(dims),
                            .bytes = file.TensorBytes(tensor)});
    if (added) continue;
    return InvalidArgument(absl::StrCat("load ", file_name, ": tensor=", ToAbsl(tensor.name),
                                        " is also in ", ToAbsl(Find(tensor.name)->file)));
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
