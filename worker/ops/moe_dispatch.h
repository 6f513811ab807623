// Sends rows to their experts and brings the answers back: rows are sorted by expert, so that each
// expert multiplies all of its rows at once.
//
//   dispatch.Build(experts, expert_count, experts_per_row);                   // one thread
//   GatherRows({.x = normed, .dispatch = &dispatch, .out = sent}, slice);
//   LinearGroup(one product for each of dispatch.groups(), slice);            // twice
//   CombineRows({.answers = answers, .weights = weights, ..., .out = hidden}, slice);
//
// A row's sum goes over its own experts in the order in which they were chosen, whatever other rows
// there are and wherever they lie, so its bits depend on itself alone.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Where each (row, choice) pair stands once they are sorted by expert. Keeps its memory from step
// to step.
//
// Threading: Build by one thread, with Syncs before and after; constant otherwise.
class MoeDispatch {
 public:
  // The rows that one expert gets: places [begin, begin + count).
  struct Group {
    int32_t expert = 0;
    int64_t begin = 0;
    int64_t count = 0;
  };

  // `experts` holds `experts_per_row` numbers below `expert_count` for each row.
  void Build(absl::Span<const int32_t> experts, int32_t expert_count, int32_t experts_per_row);

  // Experts that have rows, ascending.
  absl::Span<const Group> groups() const { return groups_; }

  int64_t place_count() const { return static_cast<int64_t>(places_.size()); }
  int32_t experts_per_row() const { return experts_per_row_; }

  // The place of each (row, choice), and the row that stands at each place.
  absl::Span<const int32_t> places() const { return places_; }
  absl::Span<const int32_t> rows() const { return rows_; }

 private:
  int32_t experts_per_row_ = 1;
  std::vector<Group> groups_;
  std::vector<int32_t> places_;
  std::vector<int32_t> rows_;
  std::vector<int32_t> next_;  // of each expert: its next free place
};

struct GatherRowsArgs {
  ConstMatrix x;  // [M, hidden]
  const MoeDispatch* dispatch = nullptr;
  Matrix out;  // [places, hidden], of the same dtype
};

// out[place] = x[row at that place]. Places are split over threads.
void GatherRows(const GatherRowsArgs& args, const ComputeSlice& slice);

struct CombineRowsArgs {
  ConstMatrix answers;              // f32 [places, hidden]
  absl::Span<const float> weights;  // of each (row, choice)
  const MoeDispatch* dispatch = nullptr;
  ConstMatrix residual = {};  // empty, or f32 [M, hidden]; may be `out`
  float scale = 1;
  Matrix out;  // f32 [M, hidden]
};

// out[row] = residual[row] + scale * sum over choices of weight * answer. Rows are split over
// threads, or columns where rows are few.
void CombineRows(const CombineRowsArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
