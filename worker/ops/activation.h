// The functions between the two halves of a feed-forward layer.
#pragma once

#include <cstdint>

namespace baton::worker {

enum class Activation : uint8_t {
  kNone,
  kSilu,      // x / (1 + e^-x)
  kGeluTanh,  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  kGeluErf,   // x (1 + erf(x / sqrt(2))) / 2
  // Of gated layers alone: with g and u kept to g <= limit and |u| <= limit, g / (1 + e^-1.702g)
  // times u + 1 (gpt-oss).
  kClampedSwiglu,
};

}  // namespace baton::worker
