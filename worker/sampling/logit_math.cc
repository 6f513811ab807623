#include "worker/sampling/logit_math.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace baton::worker {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr size_t kLanes = 16;
constexpr size_t kRun =
    64;  // values whose exponentials are added in float before they go to double

// e^x for x <= 0: 2^n times a polynomial in the rest, as in Cephes. 0 below -87 and for NaN.
// Rounding by the addition of 1.5 * 2^23 leaves n in the low bits and needs no instruction beyond
// SSE2.
inline float ExpNonPositive(float x) {
  constexpr float kRounder = 12582912.0f;
  const float clamped = x > -87.0f ? x : -87.0f;
  const float shifted = clamped * 1.44269504088896341f + kRounder;
  const float n = shifted - kRounder;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRounder) + 127;
  const float power = std::bit_cast<float>(exponent << 23);
  return x > -87.0f ? p * power : 0.0f;
}

}  // namespace

float MaxOf(absl::Span<const float> values) {
  std::array<float, kLanes> best;
  best.fill(kMinusInfinity);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      best[lane] = value > best[lane] ? value : best[lane];
    }
  }
  float result = kMinusInfinity;
  for (; i < values.size(); ++i) result = values[i] > result ? values[i] : result;
  for (float lane : best) result = lane > result ? lane : result;
  return result;
}

int32_t ArgMax(absl::Span<const float> values) {
  const float max = MaxOf(values);
  for (size_t begin = 0; begin < values.size(); begin += kRun) {
    const size_t end = begin + kRun < values.size() ? begin + kRun : values.size();
    int found = 0;
    for (size_t i = begin; i < end; ++i) found |= static_cast<int>(values[i] == max);
    if (found == 0) continue;
    for (size_t i = begin; i < end; ++i) {
      if (values[i] == max) return static_cast<int32_t>(i);
    }
  }
  return 0;
}

void Scale(absl::Span<float> values, float factor) {
  float* data = values.data();
  for (size_t i = 0; i < values.size(); ++i) data[i] *= factor;
}

double Exponentials(absl::Span<const float> values, float max, float floor,
                    absl::Span<float> weights) {
  const float* in = values.data();
  float* __restrict out = weights.data();
  const size_t count = values.size();
  double total = 0;
  size_t begin = 0;
  for (; begin + kRun <= count; begin += kRun) {
    std::array<float, kLanes> sums{};
    for (size_t i = begin; i < begin + kRun; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const float value = in[i + lane];
        const float power = ExpNonPositive(value - max);
        const float weight = value >= floor ? power : 0.0f;
        out[i + lane] = weight;
        sums[lane] += weight;
      }
    }
    float run = 0;
    for (float sum : sums) run += sum;
    total += static_cast<double>(run);
  }
  for (; begin < count; ++begin) {
    out[begin] = in[begin] >= floor ? ExpNonPositive(in[begin] - max) : 0.0f;
    total += static_cast<double>(out[begin]);
  }
  return total;
}

double LogSumExp(absl::Span<const float> values, float max) {
  const float* in = values.data();
  const size_t count = values.size();
  double total = 0;
  size_t begin = 0;
  for (; begin + kRun <= count; begin += kRun) {
    std::array<float, kLanes> sums{};
    for (size_t i = begin; i < begin + kRun; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += ExpNonPositive(in[i + lane] - max);
    }
    float run = 0;
    for (float sum : sums) run += sum;
    total += static_cast<double>(run);
  }
  for (; begin < count; ++begin) total += static_cast<double>(ExpNonPositive(in[begin] - max));
  return static_cast<double>(max) + std::log(total);
}

int32_t CountBefore(absl::Span<const float> values, float value, int32_t index) {
  const float* in = values.data();
  const auto split = static_cast<size_t>(index);
  int32_t count = 0;
  for (size_t i = 0; i < split; ++i) count += static_cast<int32_t>(in[i] >= value);
  for (size_t i = split; i < values.size(); ++i) count += static_cast<int32_t>(in[i] > value);
  return count;
}

}  // namespace baton::worker
