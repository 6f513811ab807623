// A whole file mapped for reading: the bytes of checkpoints, without a copy and without a read
// ahead of need. Pages arrive from the page cache when they are touched.
//
//   ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
//   Parse(file.bytes());
//
// Threading: immutable after Open.
// Ownership: bytes() is valid until the MappedFile dies; moving it leaves the bytes where they are.
// Errors:    NOT_FOUND, PERMISSION_DENIED or FAILED_PRECONDITION (not a regular file, no memory for
//            the mapping), each naming the path. A file that shrinks while it is mapped raises
//            SIGBUS on access: checkpoints are replaced by rename, never rewritten in place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace baton {

class MappedFile {
 public:
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_bytes_}; }

 private:
  MappedFile(const char* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}

  const char* data_;  // nullptr when the file is empty or this was moved from
  size_t size_bytes_;
};

}  // namespace baton
