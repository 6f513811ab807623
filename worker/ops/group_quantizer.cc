#include "worker/ops/group_quantizer.h"

#include <algorithm>
#include <cmath>

#include "worker/tensor/float_conversions.h"

namespace baton::worker {
namespace {

constexpr int kGroup = 32;
constexpr float kFourBitMax = 15;

float RoundToHalf(float value) { return ToFloat(ToF16(value)); }

int8_t Quantize(float value, float low, float high) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(value), low, high));
}

// The group for a scale and a least value, and its squared error.
float Fit(const float* x, float scale, float least, QuantizedGroup& group) {
  group.scale = RoundToHalf(scale);
  group.least = RoundToHalf(least);
  const float inverse = group.scale > 0 ? 1 / group.scale : 0;
  float error = 0;
  for (size_t i = 0; i < kGroup; ++i) {
    group.quants[i] = Quantize((x[i] - group.least) * inverse, 0, kFourBitMax);
    const float off = group.scale * static_cast<float>(group.quants[i]) + group.least - x[i];
    error += off * off;
  }
  return error;
}

// The line through (q, x) of the least squared error, for the quants of `group`.
bool Refit(const float* x, const QuantizedGroup& group, float& scale, float& least) {
  float sum_q = 0, sum_qq = 0, sum_x = 0, sum_qx = 0;
  for (size_t i = 0; i < kGroup; ++i) {
    const auto q = static_cast<float>(group.quants[i]);
    sum_q += q;
    sum_qq += q * q;
    sum_x += x[i];
    sum_qx += q * x[i];
  }
  const float determinant = kGroup * sum_qq - sum_q * sum_q;
  if (determinant <= 0) return false;
  scale = (kGroup * sum_qx - sum_q * sum_x) / determinant;
  least = (sum_x - scale * sum_q) / kGroup;
  return scale > 0;
}

}  // namespace

QuantizedGroup QuantizeToEightBits(const float* x) {
  float largest = 0;
  for (int i = 0; i < kGroup; ++i) largest = std::max(largest, std::abs(x[i]));
  QuantizedGroup group{};
  group.scale = RoundToHalf(largest / 127);
  const float inverse = group.scale > 0 ? 1 / group.scale : 0;
  for (size_t i = 0; i < kGroup; ++i) group.quants[i] = Quantize(x[i] * inverse, -127, 127);
  return group;
}

QuantizedGroup QuantizeToFourBits(const float* x) {
  const auto [low, high] = std::minmax_element(x, x + kGroup);
  const float span = *high - *low;
  QuantizedGroup best{};
  float best_error = Fit(x, span / kFourBitMax, *low, best);
  // Cutting the extremes off a little, or a finer step, is often better for the others.
  for (const float part : {0.98f, 0.95f, 0.92f, 0.89f, 0.86f, 0.82f}) {
    float least = *low + (1 - part) / 2 * span;
    float scale = part * span / kFourBitMax;
    for (int round = 0; round < 2; ++round) {
      QuantizedGroup group{};
      const float error = Fit(x, scale, least, group);
      if (error < best_error) {
        best_error = error;
        best = group;
      }
      if (!Refit(x, group, scale, least)) break;
    }
  }
  return best;
}

}  // namespace baton::worker
