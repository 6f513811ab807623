#include "worker/ops/cpu/kernels.h"
#include "worker/ops/cpu/simd_plain.h"

namespace baton::worker::cpu {

const KernelTable kPlainKernels = kTableOf<PlainSimd>;

}  // namespace baton::worker::cpu
