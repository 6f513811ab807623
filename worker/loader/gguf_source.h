#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/gguf/gguf_file.h"
#include "worker/loader/tensor_source.h"

namespace baton::worker {

// The tensors of one GGUF file, shapes turned round to PyTorch's order.
//
// Threading, Ownership: as TensorSource.
// Errors:    those of GgufFile::Open.
class GgufSource final : public TensorSource {
 public:
  static absl::StatusOr<std::unique_ptr<GgufSource>> Open(const std::string& path);

  std::string_view description() const override { return name_; }
  const GgufFile& file() const { return file_; }

 private:
  GgufSource(GgufFile file, std::string name);

  GgufFile file_;
  std::string name_;
};

}  // namespace baton::worker
