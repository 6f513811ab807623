// In what the KV cache keeps an element of a key or a value. Enumerators alone: kernels include it.
#pragma once

#include <cstdint>

namespace baton::worker {

enum class KvFormat : uint8_t {
  kPlain,  // as the compute type
  kBf16,   // where the compute type is f32
  kInt8,   // multiples of one scale for each token and head
  kFp8,    // E4M3, nearest, bounded by 448
};

}  // namespace baton::worker
