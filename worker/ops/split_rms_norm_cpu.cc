#include <cmath>

#include "common/base/check.h"
#include "worker/ops/split_rms_norm.h"

namespace baton::worker {
namespace {

constexpr int64_t kParts = 16;

float SumOfSquares(const float* x, int64_t size) {
  float parts[kParts] = {};
  for (int64_t i = 0; i + kParts <= size; i += kParts) {
    for (int64_t part = 0; part < kParts; ++part) parts[part] += x[i + part] * x[i + part];
  }
  for (int64_t i = size / kParts * kParts; i < size; ++i) parts[i % kParts] += x[i] * x[i];
  float sum = 0;
  for (const float part : parts) sum += part;
  return sum;
}

}  // namespace

void SquareSums(const SquareSumsArgs& args, const ComputeSlice& slice) {
  BATON_CHECK(args.out.rows() == args.x.rows() && args.out.cols() == 1)
      << "square_sums: x has " << args.x.rows() << " rows, out is " << args.out.rows() << " x "
      << args.out.cols();
  const ComputeSlice::Range share = slice.Share(args.x.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    *args.out.row<float>(row) = SumOfSquares(args.x.row<float>(row), args.x.cols());
  }
}

void NormBySquareSums(const NormBySquareSumsArgs& args, const ComputeSlice& slice) {
  const int64_t size = args.x.cols();
  BATON_CHECK(args.sums.rows() == args.x.rows() && args.whole_size >= size &&
              static_cast<int64_t>(args.weight.size()) == size)
      << "norm_by_square_sums: x is " << args.x.rows() << " x " << size << ", sums has "
      << args.sums.rows() << " rows, weight " << args.weight.size() << " of " << args.whole_size;
  const ComputeSlice::Range share = slice.Share(args.x.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    const float mean = *args.sums.row<float>(row) / static_cast<float>(args.whole_size);
    const float factor = 1.0f / std::sqrt(mean + args.epsilon);
    float* x = args.x.row<float>(row);
    for (int64_t i = 0; i < size; ++i) x[i] *= factor * args.weight[static_cast<size_t>(i)];
  }
}

}  // namespace baton::worker
