#include "worker/tensor/shape.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"

namespace baton::worker {

Shape::Shape(std::initializer_list<int64_t> dims)
    : Shape(absl::Span<const int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(absl::Span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  BATON_CHECK(dims.size() <= kRankMax) << "shape: rank=" << dims.size() << "/" << kRankMax;
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

int64_t Shape::element_count() const {
  int64_t count = 1;
  for (const int64_t dim : dims()) count *= dim;
  return count;
}

std::string Shape::ToString() const { return absl::StrCat("[", absl::StrJoin(dims(), ", "), "]"); }

}  // namespace baton::worker
