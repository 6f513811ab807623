#include <algorithm>
#include <vector>

#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/ops/linear.h"
#include "worker/ops/quantized_panels.h"

namespace baton::worker {

namespace {

static_assert(PackedLinear::kPanelCols == cpu::kPanelCols);

void CheckArgs(const LinearArgs& args) {
  const PackedLinear& weights = *args.weights;
  BATON_CHECK(args.x.cols() == weights.inputs() && args.x.dtype() == weights.dtype())
      << "linear: x has " << args.x.cols() << " columns of " << NameOf(args.x.dtype()) << "/"
      << weights.inputs() << " of " << NameOf(weights.dtype());
  BATON_CHECK(args.out.cols() == weights.outputs() && args.out.rows() == args.x.rows())
      << "linear: out is " << args.out.rows() << " x " << args.out.cols() << "/" << args.x.rows()
      << " x " << weights.outputs();
  BATON_CHECK(args.out.dtype() == DType::kF32 || args.out.dtype() == DType::kBf16)
      << "linear: out is of " << NameOf(args.out.dtype());
  if (args.residual.empty()) return;
  BATON_CHECK(weights.kind() == LinearKind::kPlain) << "linear: residual of a gated layer";
  BATON_CHECK(args.residual.dtype() == DType::kF32 && args.residual.rows() == args.x.rows() &&
              args.residual.cols() == weights.outputs())
      << "linear: residual is " << args.residual.rows() << " x " << args.residual.cols();
}

// What a thread takes: units of 32 packed columns of one product.
struct UnitRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// A gated panel stays whole: both halves make one output.
int64_t UnitsPerShare(const PackedLinear& weights) {
  return weights.kind() == LinearKind::kGated ? cpu::kPanelCols / cpu::kUnitCols : 1;
}

// Parts that different threads may take.
int64_t SharesOf(const PackedLinear& weights) {
  return weights.kind() == LinearKind::kGated
             ? weights.panel_count()
             : (weights.outputs() + cpu::kUnitCols - 1) / cpu::kUnitCols;
}

// The rows of a product in 8 bits, for one thread: each makes them for itself, which costs less
// than waiting for one another. Keeps its memory from step to step.
struct QuantizedRows {
  std::vector<signed char> values;
  std::vector<cpu::QuantGroup> groups;
};

void MultiplyQuantized(const cpu::LinearTask& task, const LinearArgs& args,
                       const QuantizedPanels& panels, const cpu::KernelTable& kernels) {
  static thread_local QuantizedRows rows;
  const auto group_count = static_cast<size_t>(task.rows * panels.group_count());
  if (rows.groups.size() < group_count) {
    rows.groups.resize(group_count);
    rows.values.resize(group_count * QuantizedPanels::kGroup);
  }
  kernels.quantize_rows({.x = task.x,
                         .x_stride = task.x_stride,
                         .rows = task.rows,
                         .inputs = task.inputs,
                         .group_count = panels.group_count(),
                         .values = rows.values.data(),
                         .groups = rows.groups.data(),
                         .x_bf16 = args.x.dtype() == DType::kBf16});
  kernels.linear_quant({.linear = task,
                        .panels = panels.panels(),
                        .group_count = panels.group_count(),
                        .values = rows.values.data(),
                        .groups = rows.groups.data()});
}

void MultiplyUnits(const LinearArgs& args, const UnitRange& units, CpuIsa isa) {
  const PackedLinear& weights = *args.weights;
  const cpu::LinearTask task = {
      .x = args.x.data(),
      .x_stride = args.x.row_stride(),
      .rows = args.x.rows(),
      .weights = weights.weights(),
      .inputs = weights.inputs(),
      .outputs = weights.outputs(),
      .bias = weights.bias(),
      .residual = args.residual.empty() ? nullptr : args.residual.row<float>(0),
      .residual_stride = args.residual.row_stride(),
      .out = args.out.data(),
      .out_stride = args.out.row_stride(),
      .scale = args.scale,
      .unit_begin = units.begin,
      .unit_end = units.end,
      .out_bf16 = args.out.dtype() == DType::kBf16,
      .gated = weights.kind() == LinearKind::kGated,
      .activation = args.activation,
      .activation_limit = args.activation_limit,
  };
  const cpu::KernelTable& kernels = KernelsFor(isa);
  if (weights.quantized() != nullptr) {
    return MultiplyQuantized(task, args, *weights.quantized(), kernels);
  }
  (weights.dtype() == DType::kBf16 ? kernels.linear_bf16 : kernels.linear_f32)(task);
}

// Fetching the weights of a column takes as long as its sums for so many rows.
constexpr int64_t kReadCostRows = 8;

// Of one share of a product.
int64_t ShareCost(const LinearArgs& args) {
  if (args.x.rows() == 0) return 0;
  const PackedLinear& weights = *args.weights;
  return (args.x.rows() + kReadCostRows) * weights.inputs() * UnitsPerShare(weights);
}

}  // namespace

void Linear(const LinearArgs& args, const ComputeSlice& slice) {
  CheckArgs(args);
  const ComputeSlice::Range share = slice.Share(SharesOf(*args.weights));
  if (share.begin == share.end) return;
  const int64_t units = UnitsPerShare(*args.weights);
  MultiplyUnits(args, {share.begin * units, share.end * units}, slice.isa());
}

void LinearGroup(absl::Span<const LinearArgs> products, const ComputeSlice& slice) {
  int64_t total = 0;
  for (const LinearArgs& args : products) {
    CheckArgs(args);
    total += ShareCost(args) * SharesOf(*args.weights);
  }
  // A share falls to the thread in whose part of the total it begins.
  const ComputeSlice::Range part = slice.Share(total);
  int64_t before = 0;
  for (const LinearArgs& args : products) {
    const int64_t cost = ShareCost(args);
    if (cost == 0) continue;
    const int64_t shares = SharesOf(*args.weights);
    const auto first_from = [&](int64_t bound) {
      return std::clamp<int64_t>((bound - before + cost - 1) / cost, 0, shares);
    };
    const int64_t units = UnitsPerShare(*args.weights);
    const UnitRange range = {first_from(part.begin) * units, first_from(part.end) * units};
    if (range.begin < range.end) MultiplyUnits(args, range, slice.isa());
    before += cost * shares;
  }
}

}  // namespace baton::worker
