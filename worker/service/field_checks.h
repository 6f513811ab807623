// Refusals of a message's field, by name.
//
// Threading: pure functions. Errors: INVALID_ARGUMENT with the field.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace baton::worker {

inline constexpr uint32_t kCountMax = 1u << 30;

// "<field> <message>".
absl::Status BadField(std::string_view field, std::string_view message);

// A number within [low, high], which excludes NaN.
absl::Status CheckRange(std::string_view field, float value, float low, float high);

absl::Status CheckCount(std::string_view field, uint64_t value, uint64_t max = kCountMax);

}  // namespace baton::worker
