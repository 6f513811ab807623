#include "worker/loader/gguf_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace baton::worker {
absl::StatusOr<std::unique_ptr<GgufSource>> GgufSource::Open(const std::string& path) {
  ASSIGN_OR_RETURN(GgufFile file, GgufFile::Open(path));
  std::string name = std::filesystem::path(path).filename().string();
  return std::unique_ptr<GgufSource>(new GgufSource(std::move(file), std::move(name)));
}

GgufSource::GgufSource(GgufFile file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {
  for (const GgufTensor& tensor : file_.tensors()) {
    std::vector<int64_t> dims(tensor.dims.begin(), tensor.dims.end());
    std::reverse(dims.begin(), dims.end());
    const bool added = Add({.name = tensor.name,
                            .file = name_,
                            .dtype = InfoOf(tensor.type).name,
                            .format = FindWeightFormat(InfoOf(tensor.type).name),
                            .shape = Shape(dims),
                            .bytes = file_.TensorBytes(tensor)});
    BATON_CHECK(added) << "gguf: " << tensor.name << " passed the parser twice";
  }
}

}  // namespace baton::worker
