#include "tests/fuzz/feedback.h"

#include <cstdint>

namespace {

// Built-ins below, as a function of the library may come from a file that calls back from it.
constexpr size_t kPlaces = size_t{1} << 20;  // far more than any target has blocks
uint8_t seen[kPlaces];
size_t reached = 0;
bool fresh = false;

}  // namespace

// GCC's -fsanitize-coverage=trace-pc calls this from every block; this file is built without it.
extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  uint8_t* cell = &seen[(place ^ place >> 20) % kPlaces];
  if (__atomic_load_n(cell, __ATOMIC_RELAXED) != 0) return;
  __atomic_store_n(cell, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&reached, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&fresh, true, __ATOMIC_RELAXED);
}

namespace baton {

bool TookNewPath() { return __atomic_exchange_n(&fresh, false, __ATOMIC_RELAXED); }

size_t PlacesReached() { return __atomic_load_n(&reached, __ATOMIC_RELAXED); }

}  // namespace baton
