#include "worker/model/step.h"

#include "common/base/status_macros.h"

namespace baton::worker {

absl::StatusOr<Matrix> Scratch::Take(DType dtype, int64_t rows, int64_t cols) {
  const size_t bytes = static_cast<size_t>(rows * cols) * SizeOf(dtype);
  if (buffer_.size_bytes() < bytes) {
    buffer_ = Buffer();  // first free, then allocate: the old content is not needed
    ASSIGN_OR_RETURN(buffer_, Buffer::Allocate(bytes + bytes / 4));
  }
  return Matrix(buffer_.data(), dtype, rows, cols, cols);
}

}  // namespace baton::worker
