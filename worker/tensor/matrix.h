// Two-dimensional views over memory that somebody else owns: what ops take and give.
//
//   Matrix out(buffer.as<float>(), rows, cols);
//   float* first = out.row<float>(0);
//   Linear({.x = out.Rows(0, 4), ...}, slice);
//
// Elements of a row are contiguous; rows lie `row_stride` elements apart.
//
// Threading: plain values. Ownership: none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/check.h"
#include "worker/tensor/dtype.h"

namespace baton::worker {

namespace internal {

// `Byte` is std::byte or const std::byte.
template <typename Byte>
class BasicMatrix {
 public:
  BasicMatrix() = default;
  BasicMatrix(Byte* data, DType dtype, int64_t rows, int64_t cols, int64_t row_stride)
      : data_(data), dtype_(dtype), rows_(rows), cols_(cols), row_stride_(row_stride) {}

  // A dense matrix of typed elements.
  template <typename T>
  BasicMatrix(T* data, int64_t rows, int64_t cols)
      : BasicMatrix(reinterpret_cast<Byte*>(data), DTypeOf<std::remove_const_t<T>>::kValue, rows,
                    cols, cols) {}

  // A mutable view reads as a constant one.
  template <typename Other>
  requires(!std::is_same_v<Other, Byte> && std::is_same_v<const Other, Byte>)
      BasicMatrix(const BasicMatrix<Other>& other)
      : BasicMatrix(other.data(), other.dtype(), other.rows(), other.cols(), other.row_stride()) {}

  Byte* data() const { return data_; }
  DType dtype() const { return dtype_; }
  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  int64_t row_stride() const { return row_stride_; }  // elements
  bool empty() const { return rows_ == 0 || cols_ == 0; }

  // The first element of a row. REQUIRES: T is the matrix's element type.
  template <typename T>
  auto* row(int64_t index) const {
    BATON_DCHECK(DTypeOf<std::remove_const_t<T>>::kValue == dtype_);
    using Element = std::conditional_t<std::is_const_v<Byte>, const T, T>;
    return reinterpret_cast<Element*>(data_) + index * row_stride_;
  }

  // `count` rows from `first` on.
  BasicMatrix Rows(int64_t first, int64_t count) const {
    return {Offset(first * row_stride_), dtype_, count, cols_, row_stride_};
  }
  // `count` columns from `first` on, in every row.
  BasicMatrix Cols(int64_t first, int64_t count) const {
    return {Offset(first), dtype_, rows_, count, row_stride_};
  }

 private:
  Byte* Offset(int64_t elements) const {
    return data_ + elements * static_cast<int64_t>(SizeOf(dtype_));
  }

  Byte* data_ = nullptr;
  DType dtype_ = DType::kF32;
  int64_t rows_ = 0;
  int64_t cols_ = 0;
  int64_t row_stride_ = 0;
};

}  // namespace internal

using Matrix = internal::BasicMatrix<std::byte>;
using ConstMatrix = internal::BasicMatrix<const std::byte>;

}  // namespace baton::worker
