#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/ops/rms_norm.h"

namespace baton::worker {

void RmsNorm(const RmsNormArgs& args, const ComputeSlice& slice) {
  const int64_t size = args.x.cols();
  const int64_t rows = args.out.rows();
  BATON_CHECK(args.x.dtype() == DType::kF32 && args.out.cols() == size &&
              static_cast<int64_t>(args.weight.size()) == size)
      << "rms_norm: x has " << size << " columns, out " << args.out.cols() << ", weight "
      << args.weight.size();
  BATON_CHECK(args.out.dtype() == DType::kF32 || args.out.dtype() == DType::kBf16)
      << "rms_norm: out is of " << NameOf(args.out.dtype());
  BATON_CHECK(args.rows.empty() ? args.x.rows() == rows
                                : static_cast<int64_t>(args.rows.size()) == rows)
      << "rms_norm: out has " << rows << " rows, x " << args.x.rows();
  BATON_CHECK(args.add.empty() || (args.rows.empty() && args.add.dtype() == DType::kF32 &&
                                   args.add.rows() == rows && args.add.cols() == size))
      << "rms_norm: add is " << args.add.rows() << " x " << args.add.cols();
  BATON_CHECK(args.residual.empty() ||
              (args.residual.dtype() == DType::kF32 && args.residual.rows() == rows &&
               args.residual.cols() == size))
      << "rms_norm: residual is " << args.residual.rows() << " x " << args.residual.cols();
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  const ComputeSlice::Range share = slice.Share(rows);
  for (int64_t row = share.begin; row < share.end; ++row) {
    const int64_t from = args.rows.empty() ? row : args.rows[static_cast<size_t>(row)];
    kernels.rms_norm({
        .x = args.x.row<float>(from),
        .add = args.add.empty() ? nullptr : args.add.row<float>(row),
        .weight = args.weight.data(),
        .residual = args.residual.empty() ? nullptr : args.residual.row<float>(row),
        .out = args.out.Rows(row, 1).data(),
        .size = size,
        .epsilon = args.epsilon,
        .out_bf16 = args.out.dtype() == DType::kBf16,
    });
  }
}

}  // namespace baton::worker
