#include "worker/ops/cpu/kernels.h"
#include "worker/ops/cpu/simd_avx2.h"

namespace baton::worker::cpu {

const KernelTable kAvx2Kernels = kTableOf<Avx2Simd>;

}  // namespace baton::worker::cpu
