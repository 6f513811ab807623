#include "common/base/process_memory.h"

#include <cstddef>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace baton {

#ifdef __GLIBC__

// Without these glibc moves its own bounds: the first block of 32 MiB that is freed makes it keep
// all later ones.
void MapLargeBlocks() {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

void ReturnFreeMemory() { malloc_trim(0); }

#else

void MapLargeBlocks() {}

void ReturnFreeMemory() {}

#endif

}  // namespace baton
