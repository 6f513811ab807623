#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/types/span.h"

namespace baton::worker {

// The dimensions of a tensor, outermost first, as PyTorch writes them: a linear layer's weight is
// [out, in].
//
// Threading: a plain value. REQUIRES: at most kRankMax dimensions.
class Shape {
 public:
  static constexpr int kRankMax = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(absl::Span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t dim(int index) const { return dims_[static_cast<size_t>(index)]; }
  absl::Span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  int64_t element_count() const;  // 1 for a scalar

  std::string ToString() const;  // "[576, 1536]"

  friend bool operator==(const Shape& a, const Shape& b) { return a.dims() == b.dims(); }

 private:
  int rank_ = 0;
  std::array<int64_t, kRankMax> dims_{};
};

}  // namespace baton::worker
