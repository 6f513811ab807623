#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/gguf/gguf_file.h"
#include "worker/loader/tensor_source.h"

namespace baton::worker {

// The tensors of a GGUF model, shapes turned round to PyTorch's order. A model may be split into
// several files, NAME-00001-of-00003.gguf and so on; whoever opens it names the first, which holds
// the metadata.
//
// Threading, Ownership: as TensorSource.
// Errors:    from Open: those of GgufFile::Open, for every part; INVALID_ARGUMENT for parts that do
//            not belong together, and for one that is not the first.
class GgufSource final : public TensorSource {
 public:
  static absl::StatusOr<std::unique_ptr<GgufSource>> Open(const std::string& path);

  // Whether a file of this name is a part of a split model other than the first.
  static bool IsLaterPart(std::string_view file_name);

  std::string_view description() const override { return names_.front(); }

  // The only file, or the first.
  const GgufFile& file() const { return files_.front(); }

 private:
  GgufSource() = default;

  absl::Status AddParts(const std::string& path, uint64_t count);
  absl::Status AddFile(GgufFile file, std::string name);

  // Tensors point into these.
  std::deque<GgufFile> files_;
  std::deque<std::string> names_;
};

}  // namespace baton::worker
