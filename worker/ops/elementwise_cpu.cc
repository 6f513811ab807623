#include "common/base/check.h"
#include "worker/ops/cpu_kernels.h"
#include "worker/ops/elementwise.h"
#include "worker/tensor/float_conversions.h"

namespace baton::worker {

void Convert(const ConvertArgs& args, const ComputeSlice& slice) {
  BATON_CHECK(args.x.dtype() == DType::kF32 && args.x.rows() == args.out.rows() &&
              args.x.cols() == args.out.cols() &&
              (args.out.dtype() == DType::kF32 || args.out.dtype() == DType::kBf16))
      << "convert: x is " << args.x.rows() << " x " << args.x.cols() << " of "
      << NameOf(args.x.dtype()) << ", out is of " << NameOf(args.out.dtype());
  const ComputeSlice::Range share = slice.Share(args.x.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    const float* x = args.x.row<float>(row);
    if (args.out.dtype() == DType::kBf16) {
      Bf16* out = args.out.row<Bf16>(row);
      for (int64_t i = 0; i < args.x.cols(); ++i) out[i] = ToBf16(x[i]);
    } else {
      float* out = args.out.row<float>(row);
      for (int64_t i = 0; i < args.x.cols(); ++i) out[i] = x[i];
    }
  }
}

void SoftCap(const SoftCapArgs& args, const ComputeSlice& slice) {
  BATON_CHECK(args.x.dtype() == DType::kF32 && args.cap > 0) << "soft cap: cap=" << args.cap;
  const cpu::KernelTable& kernels = KernelsFor(slice.isa());
  // By columns: few rows of a whole vocabulary.
  const ComputeSlice::Range share = slice.Share(args.x.cols());
  for (int64_t row = 0; row < args.x.rows(); ++row) {
    kernels.soft_cap(args.x.row<float>(row) + share.begin, share.end - share.begin, args.cap);
  }
}

}  // namespace baton::worker
