#include <cmath>
#include <numbers>

#include "common/base/check.h"
#include "worker/ops/rope.h"

namespace baton::worker {

namespace {

// As transformers' _compute_llama3_parameters, in f32.
float ScaleLlama3(float frequency, const Llama3RopeScaling& scaling) {
  const auto factor = static_cast<float>(scaling.factor);
  const double low_wavelength = scaling.original_max_positions / scaling.low_freq_factor;
  const double high_wavelength = scaling.original_max_positions / scaling.high_freq_factor;
  const float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
  if (wavelength > static_cast<float>(low_wavelength)) return frequency / factor;
  if (wavelength < static_cast<float>(high_wavelength)) return frequency;
  const float smooth = (static_cast<float>(scaling.original_max_positions) / wavelength -
                        static_cast<float>(scaling.low_freq_factor)) /
                       static_cast<float>(scaling.high_freq_factor - scaling.low_freq_factor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

}  // namespace

std::vector<float> RopeFrequencies(const RopeConfig& config) {
  BATON_CHECK(config.rotary_dim > 0 && config.rotary_dim % 2 == 0)
      << "rope: rotary_dim=" << config.rotary_dim;
  std::vector<float> frequencies;
  frequencies.reserve(static_cast<size_t>(config.rotary_dim / 2));
  for (int32_t i = 0; i < config.rotary_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(config.rotary_dim);
    const auto power = static_cast<float>(std::pow(config.theta, static_cast<double>(exponent)));
    const float frequency = 1.0f / power;
    frequencies.push_back(config.llama3 ? ScaleLlama3(frequency, *config.llama3) : frequency);
  }
  return frequencies;
}

void RopeAngles(const RopeAnglesArgs& args, const ComputeSlice& slice) {
  const auto half = static_cast<int64_t>(args.frequencies.size());
  BATON_CHECK(args.cos_sin.cols() == 2 * half &&
              args.cos_sin.rows() == static_cast<int64_t>(args.positions.size()))
      << "rope angles: cos_sin is " << args.cos_sin.rows() << " x " << args.cos_sin.cols() << "/"
      << args.positions.size() << " x " << 2 * half;
  const ComputeSlice::Range share = slice.Share(args.cos_sin.rows());
  for (int64_t row = share.begin; row < share.end; ++row) {
    float* cosines = args.cos_sin.row<float>(row);
    float* sines = cosines + half;
    const auto position = static_cast<float>(args.positions[static_cast<size_t>(row)]);
    for (int64_t i = 0; i < half; ++i) {
      const float angle = position * args.frequencies[static_cast<size_t>(i)];
      cosines[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      sines[i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
}

}  // namespace baton::worker
