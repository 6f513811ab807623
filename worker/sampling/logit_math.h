// Passes over a row of logits, written so that the compiler vectorises them, and with a fixed
// order of additions: the same row gives the same bits on every machine.
//
// Threading: pure functions.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace baton::worker {

// The largest value; NaN is never it. -infinity when there is none.
float MaxOf(absl::Span<const float> values);

// Index of the largest value, the lowest one among equals; 0 when there is none.
int32_t ArgMax(absl::Span<const float> values);

// values[i] * factor, in place.
void Scale(absl::Span<float> values, float factor);

// e^(values[i] - max) into `weights`, 0 where values[i] < floor; returns their sum. Relative error
// of a weight below 2e-7; weights below e^-87 are 0. REQUIRES: equal sizes.
double Exponentials(absl::Span<const float> values, float max, float floor,
                    absl::Span<float> weights);

// ln(sum of e^values[i]).
double LogSumExp(absl::Span<const float> values, float max);

// How many values are above `value`, or equal to it at an index below `index`.
int32_t CountBefore(absl::Span<const float> values, float value, int32_t index);

}  // namespace baton::worker
