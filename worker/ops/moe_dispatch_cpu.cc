#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "worker/ops/moe_dispatch.h"

namespace baton::worker {

void MoeDispatch::Build(absl::Span<const int32_t> experts, int32_t expert_count,
                        int32_t experts_per_row) {
  experts_per_row_ = experts_per_row;
  next_.assign(static_cast<size_t>(expert_count), 0);
  for (const int32_t expert : experts) {
    BATON_CHECK(expert >= 0 && expert < expert_count) << "moe dispatch: expert=" << expert;
    ++next_[static_cast<size_t>(expert)];
  }
  groups_.clear();
  int32_t begin = 0;
  for (int32_t expert = 0; expert < expert_count; ++expert) {
    const int32_t count = std::exchange(next_[static_cast<size_t>(expert)], begin);
    if (count > 0) groups_.push_back({expert, begin, count});
    begin += count;
  }
  places_.resize(experts.size());
  rows_.resize(experts.size());
  for (size_t i = 0; i < experts.size(); ++i) {
    places_[i] = next_[static_cast<size_t>(experts[i])]++;
    rows_[static_cast<size_t>(places_[i])] = static_cast<int32_t>(i) / experts_per_row;
  }
}

void GatherRows(const GatherRowsArgs& args, const ComputeSlice& slice) {
  const MoeDispatch& dispatch = *args.dispatch;
  BATON_CHECK(args.out.rows() == dispatch.place_count() && args.out.cols() == args.x.cols() &&
              args.out.dtype() == args.x.dtype())
      << "gather rows: out is " << args.out.rows() << " x " << args.out.cols() << "/"
      << dispatch.place_count() << " x " << args.x.cols();
  const size_t row_bytes = static_cast<size_t>(args.x.cols()) * SizeOf(args.x.dtype());
  const ComputeSlice::Range share = slice.Share(dispatch.place_count());
  for (int64_t place = share.begin; place < share.end; ++place) {
    const int32_t row = dispatch.rows()[static_cast<size_t>(place)];
    std::memcpy(args.out.Rows(place, 1).data(), args.x.Rows(row, 1).data(), row_bytes);
  }
}

namespace {

constexpr int64_t kChunkCols = 256;  // sums that stay in the first-level cache

void CheckArgs(const CombineRowsArgs& args) {
  const MoeDispatch& dispatch = *args.dispatch;
  const int64_t rows = args.out.rows();
  BATON_CHECK(args.answers.dtype() == DType::kF32 && args.out.dtype() == DType::kF32 &&
              args.answers.rows() == dispatch.place_count() &&
              args.answers.cols() == args.out.cols() &&
              rows * dispatch.experts_per_row() == dispatch.place_count() &&
              static_cast<int64_t>(args.weights.size()) == dispatch.place_count())
      << "combine rows: answers are " << args.answers.rows() << " x " << args.answers.cols()
      << ", out " << rows << " x " << args.out.cols() << ", weights " << args.weights.size();
  BATON_CHECK(args.residual.empty() ||
              (args.residual.dtype() == DType::kF32 && args.residual.rows() == rows &&
               args.residual.cols() == args.out.cols()))
      << "combine rows: residual is " << args.residual.rows() << " x " << args.residual.cols();
}

// One row, the columns [begin, begin + count), count <= kChunkCols.
void CombineChunk(const CombineRowsArgs& args, int64_t row, int64_t begin, int64_t count) {
  const int64_t choices = args.dispatch->experts_per_row();
  float sums[kChunkCols] = {};
  for (int64_t choice = 0; choice < choices; ++choice) {
    const auto at = static_cast<size_t>(row * choices + choice);
    const float weight = args.weights[at];
    const float* answer = args.answers.row<float>(args.dispatch->places()[at]) + begin;
    for (int64_t i = 0; i < count; ++i) sums[i] += weight * answer[i];
  }
  for (int64_t i = 0; i < count; ++i) sums[i] *= args.scale;
  float* out = args.out.row<float>(row) + begin;
  if (args.residual.empty()) {
    std::copy_n(sums, count, out);
    return;
  }
  const float* residual = args.residual.row<float>(row) + begin;
  for (int64_t i = 0; i < count; ++i) out[i] = residual[i] + sums[i];
}

}  // namespace

void CombineRows(const CombineRowsArgs& args, const ComputeSlice& slice) {
  CheckArgs(args);
  const int64_t cols = args.out.cols();
  const int64_t chunks = (cols + kChunkCols - 1) / kChunkCols;
  const ComputeSlice::Range share = slice.Share(args.out.rows() * chunks);
  for (int64_t item = share.begin; item < share.end; ++item) {
    const int64_t begin = item % chunks * kChunkCols;
    CombineChunk(args, item / chunks, begin, std::min(kChunkCols, cols - begin));
  }
}

}  // namespace baton::worker
