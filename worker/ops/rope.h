// Rotary position embedding (Su et al. 2021), half-split: (x[i], x[i + d/2]) turns by the angle
// position * inv_freq[i]. Frequencies are made once per model, angles once per step, for all
// layers that share them.
//
// Frequencies follow transformers digit by digit: exponents, powers and the products with the
// position are f32.
//
// Threading: RopeFrequencies from any thread; RopeAngles by every thread of a region with its own
//            slice, rows are split.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// rope_type "linear": positions are divided by the factor.
struct LinearRopeScaling {
  double factor = 1;
};

// rope_type "dynamic" (NTK): a larger base for sequences beyond what the model was trained on.
struct DynamicRopeScaling {
  double factor = 1;
  double original_max_positions = 2048;
};

// Llama 3.1's change of the slow frequencies (rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_positions = 8192;
};

// rope_type "yarn" (Peng et al. 2023): fast frequencies stay, slow ones are divided, a ramp
// between.
struct YarnRopeScaling {
  double factor = 1;
  double original_max_positions = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  bool truncate = true;  // the ends of the ramp are rounded to whole dims
};

// rope_type "longrope" (Phi 3): each frequency is divided by a number of its own, from one list for
// sequences up to the original length, from another beyond.
struct LongRopeScaling {
  std::vector<float> short_factors = {};  // rotary_dim / 2 each
  std::vector<float> long_factors = {};
  double original_max_positions = 4096;
};

using RopeScaling = std::variant<std::monostate, LinearRopeScaling, DynamicRopeScaling,
                                 Llama3RopeScaling, YarnRopeScaling, LongRopeScaling>;

struct RopeConfig {
  double theta = 10000;
  int32_t rotary_dim = 0;  // even; the leading dims of a head that turn
  RopeScaling scaling = {};
  double amplitude = 1;  // of cosines and sines: the attention factor of yarn and longrope
};

// Whether frequencies differ between workers that serve sequences of different lengths at most.
bool DependsOnLength(const RopeConfig& config);

// inv_freq, rotary_dim / 2 numbers. `longest`: tokens of the longest sequence that will be served,
// which decides where a scaling depends on the length: transformers decides anew in each forward
// pass, at the price of keys that no longer fit; we decide once.
std::vector<float> RopeFrequencies(const RopeConfig& config, int32_t longest);

struct RopeAnglesArgs {
  absl::Span<const float> frequencies;
  absl::Span<const int32_t> positions;  // one for each row
  float amplitude = 1;
  Matrix cos_sin;  // f32 [M, rotary_dim]: cosines in the first half of a row, then sines
};

void RopeAngles(const RopeAnglesArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
