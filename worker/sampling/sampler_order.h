// The names of the samplers in samplers.def, and which of them a request may put into an order of
// its own.
//
//   ASSIGN_OR_RETURN(params.order, ParseSamplerOrder({"top_k", "temperature"}));
//
// Threading: pure functions.
// Errors:    INVALID_ARGUMENT naming an unknown sampler and those that are known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/sampling_params/sampling_params.h"

namespace baton::worker {

// Indices into samplers.def. A sampler may be named more than once: it is applied each time.
absl::StatusOr<std::vector<uint8_t>> ParseSamplerOrder(absl::Span<const std::string> names);

// Whether `state` is what a sequence with these params can go on with.
bool IsSamplerState(const SamplingParams& params, std::string_view state);

// Whether draws with these params have a state that is no function of the tokens.
bool HasSamplerState(const SamplingParams& params);

}  // namespace baton::worker
