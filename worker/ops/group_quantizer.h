// Rounds groups of 32 weights to few bits: what --quantization does to a checkpoint of floats.
//
// Eight bits: x = scale q, scale = largest / 127. Four bits: x = scale q + least, of the least
// squared error that a few tries around the extremes of the group find. Scale and least value are
// f16 numbers, and quants are chosen for them.
//
// Threading: pure functions.
#pragma once

#include <array>
#include <cstdint>

namespace baton::worker {

struct QuantizedGroup {
  std::array<int8_t, 32> quants;
  float scale = 0;
  float least = 0;
};

// x: 32 numbers. Quants from -127 to 127.
QuantizedGroup QuantizeToEightBits(const float* x);

// Quants from 0 to 15.
QuantizedGroup QuantizeToFourBits(const float* x);

}  // namespace baton::worker
