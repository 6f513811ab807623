// What this machine can do at best, measured beside a benchmark: a figure means something only as
// a part of it.
//
// Threading: by the owner of the ComputeThreads, outside of a region.
#pragma once

#include <cstdint>

#include "worker/device/compute_threads.h"
#include "worker/tensor/dtype.h"

namespace baton::worker {

// Bytes per second that all threads together read from memory, in order, about 50 ms long.
double ReadBandwidth(ComputeThreads& threads);

// Floating-point operations per second on registers with the products that kernels of this
// instruction set and type use.
double PeakFlops(ComputeThreads& threads, DType dtype);

}  // namespace baton::worker
