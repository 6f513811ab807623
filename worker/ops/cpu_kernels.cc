#include "worker/ops/cpu_kernels.h"

namespace baton::worker {

const cpu::KernelTable& KernelsFor(CpuIsa isa) {
#if defined(__x86_64__)
  if (isa == CpuIsa::kAvx512) return cpu::kAvx512Kernels;
  if (isa == CpuIsa::kAvx2) return cpu::kAvx2Kernels;
#endif
  static_cast<void>(isa);
  return cpu::kPlainKernels;
}

}  // namespace baton::worker
