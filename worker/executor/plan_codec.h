// A step plan as bytes: what the first rank of a tensor-parallel worker sends to the others.
//
// Everything but `samples`, which only the first rank reads. Little-endian, as all our machines
// are; both ends are one build.
//
// Threading: pure functions.
// Errors:    INTERNAL from ParsePlan for bytes that SerializePlan did not write.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "worker/engine/step_plan.h"

namespace baton::worker {

std::string SerializePlan(const StepPlan& plan);
absl::StatusOr<StepPlan> ParsePlan(std::string_view bytes);

}  // namespace baton::worker
