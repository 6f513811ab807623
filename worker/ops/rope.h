// Rotary position embedding (Su et al. 2021), half-split: (x[i], x[i + d/2]) turns by the angle
// position * inv_freq[i]. Frequencies are made once per model, angles once per step, for all
// layers.
//
// Frequencies follow transformers digit by digit: exponents, powers and the products with the
// position are f32.
//
// Threading: RopeFrequencies from any thread; RopeAngles by every thread of a region with its own
//            slice, rows are split.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "worker/device/compute_threads.h"
#include "worker/tensor/matrix.h"

namespace baton::worker {

// Llama 3.1's change of the slow frequencies (rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  double original_max_positions = 8192;
};

struct RopeConfig {
  double theta = 10000;
  int32_t rotary_dim = 0;  // even; the leading dims of a head that turn
  std::optional<Llama3RopeScaling> llama3 = std::nullopt;
};

// inv_freq, rotary_dim / 2 numbers.
std::vector<float> RopeFrequencies(const RopeConfig& config);

struct RopeAnglesArgs {
  absl::Span<const float> frequencies;
  absl::Span<const int32_t> positions;  // one for each row
  Matrix cos_sin;  // f32 [M, rotary_dim]: cosines in the first half of a row, then sines
};

void RopeAngles(const RopeAnglesArgs& args, const ComputeSlice& slice);

}  // namespace baton::worker
