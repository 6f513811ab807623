#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/ops/linear.h"

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

}  // namespace

void Linear(const LinearArgs& args, const ComputeSlice& slice) {
  CheckArgs(args);
  const PackedLinear& weights = *args.weights;
  const bool gated = weights.kind() == LinearKind::kGatedSilu;
  // A gated panel stays whole: both halves make one output.
  const int64_t units_per_panel = gated ? 1 : cpu::kPanelCols / cpu::kUnitCols;
  const int64_t units =
      gated ? weights.panel_count() : (weights.outputs() + cpu::kUnitCols - 1) / cpu::kUnitCols;
  const ComputeSlice::Range share = slice.Share(units);
  const int64_t kernel_units = cpu::kPanelCols / cpu::kUnitCols / units_per_panel;
  const bool has_residual = !args.residual.empty();
  const cpu::LinearTask task = {
      .x = args.x.data(),
      .x_stride = args.x.row_stride(),
      .rows = args.x.rows(),
      .weights = weights.weights(),
      .inputs = weights.inputs(),
      .outputs = weights.outputs(),
      .bias = weights.bias(),
      .residual = has_residual ? args.residual.row<float>(0) : nullptr,
      .residual_stride = args.residual.row_stride(),
      .out = args.out.data(),
      .out_stride = args.out.row_stride(),
      .unit_begin = share.begin * kernel_units,
      .unit_end = share.end * kernel_units,
      .out_bf16 = args.out.dtype() == DType::kBf16,
      .gated = gated,
  };
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  (weights.dtype() == DType::kBf16 ? kernels.linear_bf16 : kernels.linear_f32)(task);
}

}  // namespace baton::worker
