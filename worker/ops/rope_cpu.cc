#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/base/check.h"
#include "worker/ops/rope.h"

namespace baton::worker {

namespace {

// theta^(2 i / rotary_dim), in f32 as transformers has it: frequencies are one over it.
std::vector<float> Powers(double theta, int32_t rotary_dim) {
  std::vector<float> powers;
  powers.reserve(static_cast<size_t>(rotary_dim / 2));
  for (int32_t i = 0; i < rotary_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(rotary_dim);
    powers.push_back(static_cast<float>(std::pow(theta, static_cast<double>(exponent))));
  }
  return powers;
}

std::vector<float> Plain(double theta, int32_t rotary_dim) {
  std::vector<float> frequencies = Powers(theta, rotary_dim);
  for (float& frequency : frequencies) frequency = 1.0f / frequency;
  return frequencies;
}

// What each kind of scaling makes of the frequencies; see transformers' modeling_rope_utils.
struct Scaler {
  const RopeConfig& config;
  int32_t longest;

  std::vector<float> operator()(std::monostate) const {
    return Plain(config.theta, config.rotary_dim);
  }

  std::vector<float> operator()(const LinearRopeScaling& scaling) const {
    std::vector<float> frequencies = Plain(config.theta, config.rotary_dim);
    for (float& frequency : frequencies) frequency /= static_cast<float>(scaling.factor);
    return frequencies;
  }

  std::vector<float> operator()(const DynamicRopeScaling& scaling) const {
    const double length = std::max<double>(longest, scaling.original_max_positions);
    const double stretch =
        scaling.factor * length / scaling.original_max_positions - (scaling.factor - 1);
    const double dims = config.rotary_dim;
    const double theta =
        dims > 2 ? config.theta * std::pow(stretch, dims / (dims - 2)) : config.theta;
    return Plain(theta, config.rotary_dim);
  }

  std::vector<float> operator()(const Llama3RopeScaling& scaling) const {
    std::vector<float> frequencies = Plain(config.theta, config.rotary_dim);
    const auto factor = static_cast<float>(scaling.factor);
    const double low_wavelength = scaling.original_max_positions / scaling.low_freq_factor;
    const double high_wavelength = scaling.original_max_positions / scaling.high_freq_factor;
    for (float& frequency : frequencies) {
      const float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
      if (wavelength < static_cast<float>(high_wavelength)) continue;
      if (wavelength > static_cast<float>(low_wavelength)) {
        frequency /= factor;
        continue;
      }
      const float smooth = (static_cast<float>(scaling.original_max_positions) / wavelength -
                            static_cast<float>(scaling.low_freq_factor)) /
                           static_cast<float>(scaling.high_freq_factor - scaling.low_freq_factor);
      frequency = (1 - smooth) * frequency / factor + smooth * frequency;
    }
    return frequencies;
  }

  std::vector<float> operator()(const YarnRopeScaling& scaling) const {
    const double dims = config.rotary_dim;
    // The dim that turns so many times within the original length.
    const auto dim_of = [&](double turns) {
      return dims * std::log(scaling.original_max_positions / (turns * 2 * std::numbers::pi)) /
             (2 * std::log(config.theta));
    };
    double low = dim_of(scaling.beta_fast);
    double high = dim_of(scaling.beta_slow);
    if (scaling.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, dims - 1);
    if (low == high) high += 0.001;
    std::vector<float> frequencies = Powers(config.theta, config.rotary_dim);
    for (size_t i = 0; i < frequencies.size(); ++i) {
      const auto place = static_cast<float>(i);
      const float ramp = std::clamp(
          (place - static_cast<float>(low)) / static_cast<float>(high - low), 0.0f, 1.0f);
      const float power = frequencies[i];
      const float divided = 1.0f / (static_cast<float>(scaling.factor) * power);
      const float kept = 1.0f - ramp;
      frequencies[i] = divided * (1.0f - kept) + 1.0f / power * kept;
    }
    return frequencies;
  }

  std::vector<float> operator()(const LongRopeScaling& scaling) const {
    const std::vector<float>& factors =
        longest > scaling.original_max_positions ? scaling.long_factors : scaling.short_factors;
    std::vector<float> frequencies = Powers(config.theta, config.rotary_dim);
    BATON_CHECK(factors.size() == frequencies.size())
        << "rope: factors=" << factors.size() << "/" << frequencies.size();
    for (size_t i = 0; i < frequencies.size(); ++i) {
      frequencies[i] = 1.0f / (factors[i] * frequencies[i]);
    }
    return frequencies;
  }
};

}  // namespace

bool DependsOnLength(const RopeConfig& config) {
  return std::holds_alternative<DynamicRopeScaling>(config.scaling) ||
         std::holds_alternative<LongRopeScaling>(config.scaling);
}

std::vector<float> RopeFrequencies(const RopeConfig& config, int32_t longest) {
  BATON_CHECK(config.rotary_dim > 0 && config.rotary_dim % 2 == 0)
      << "rope: rotary_dim=" << config.rotary_dim;
  return std::visit(Scaler{config, longest}, config.scaling);
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
      cosines[i] = args.amplitude * static_cast<float>(std::cos(static_cast<double>(angle)));
      sines[i] = args.amplitude * static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
}

}  // namespace baton::worker
