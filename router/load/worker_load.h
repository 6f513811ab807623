// How busy one worker is: the numbers of its last Load frame.
//
// Threading: plain data.
#pragma once

#include <cstdint>

namespace baton::router {

struct WorkerLoad {
  uint32_t running = 0;                 // requests
  uint32_t waiting = 0;                 // requests
  uint64_t waiting_prefill_tokens = 0;  // uncomputed prompt tokens of all requests
  uint32_t blocks_active = 0;           // referenced by a sequence
  uint32_t blocks_free = 0;             // free or evictable
  float step_ms = 0;                    // moving average of an engine step
};

}  // namespace baton::router
