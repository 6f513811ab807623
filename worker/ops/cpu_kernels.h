// Which kernels run at which instruction set.
//
// Threading: any thread.
#pragma once

#include "worker/device/cpu_isa.h"
#include "worker/ops/cpu/kernel_table.h"

namespace baton::worker {

// REQUIRES: this processor supports `isa`.
const cpu::KernelTable& KernelsFor(CpuIsa isa);

}  // namespace baton::worker
