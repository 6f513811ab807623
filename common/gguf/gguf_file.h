// A GGUF checkpoint (versions 2 and 3, little-endian): its metadata, and where its tensors lie.
//
// Everything a file claims is checked against its real size when it is opened, so that readers of
// metadata and tensors need no checks of their own and a damaged download fails with one clear
// line.
//
//   ASSIGN_OR_RETURN(GgufFile file, GgufFile::Open("model.gguf"));
//   ASSIGN_OR_RETURN(std::string_view arch, file.metadata().GetString("general.architecture"));
//   const GgufTensor* tensor = file.FindTensor("token_embd.weight");
//   std::string_view raw = file.TensorBytes(*tensor);
//
// Threading: immutable after construction.
// Ownership: owns the mapping or the bytes; every view it hands out is valid until it dies. Moving
// it
//            leaves views valid.
// Errors:    INVALID_ARGUMENT for a malformed file, UNIMPLEMENTED for a version, byte order or type
//            it does not know, both naming file and key or tensor; those of MappedFile from Open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/mapped_file.h"
#include "common/gguf/ggml_type.h"
#include "common/gguf/gguf_metadata.h"

namespace baton {

// Where one tensor lies. `dims` is in GGML's order: dims[0] is the length of a row, contiguous in
// the file; a matrix that PyTorch calls [out, in] reads {in, out} here.
struct GgufTensor {
  std::string_view name;
  std::vector<uint64_t> dims;  // 1 to 4
  GgmlType type = GgmlType::kF32;
  uint64_t element_count = 0;
  uint64_t offset_bytes = 0;  // from the start of the file
  uint64_t size_bytes = 0;
};

class GgufFile {
 public:
  // Maps and checks a whole file.
  static absl::StatusOr<GgufFile> Open(const std::string& path);

  // Checks a buffer that holds a whole file, or only its first metadata_bytes() bytes: header and
  // key-values, which is what a model card carries. In the latter case tensors() is empty.
  // `source` names it in errors.
  static absl::StatusOr<GgufFile> Parse(std::string bytes, std::string source);

  uint32_t version() const { return version_; }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }  // in file order
  const GgufTensor* FindTensor(std::string_view name) const;           // nullptr when absent

  // The bytes of a tensor of this file; empty for a tensor without elements.
  std::string_view TensorBytes(const GgufTensor& tensor) const;

  // Header and key-values as they stand in the file; Parse reads them back.
  std::string_view MetadataSection() const { return bytes_.substr(0, metadata_bytes_); }

  uint64_t metadata_bytes() const { return metadata_bytes_; }
  uint64_t data_offset_bytes() const { return data_offset_bytes_; }
  uint64_t alignment_bytes() const { return alignment_bytes_; }

 private:
  friend class GgufParser;
  GgufFile() = default;

  // One of the two keeps the bytes. Behind pointers, so that a move leaves every view valid.
  std::unique_ptr<const MappedFile> mapping_;
  std::unique_ptr<const std::string> buffer_;

  std::string_view bytes_;
  uint32_t version_ = 0;
  uint64_t metadata_bytes_ = 0;
  uint64_t data_offset_bytes_ = 0;
  uint64_t alignment_bytes_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string_view, size_t> tensor_index_;  // name -> position in tensors_
};

}  // namespace baton
