#include "worker/ops/cpu/kernels.h"
#include "worker/ops/cpu/simd_avx512.h"

namespace baton::worker::cpu {

const KernelTable kAvx512Kernels = kTableOf<Avx512Simd>;

}  // namespace baton::worker::cpu
