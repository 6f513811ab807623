#pragma once

#include "absl/status/status.h"
#include "worker/engine/model_executor.h"

namespace baton::worker {

// Runs a short prompt and one token after it, so that the first request meets scratch memory,
// threads and weights that are real, and a model that cannot compute never serves. Uses the first
// block of each table, whose content does not matter yet.
//
// Threading: as ModelExecutor, before the engine drives it.
// Errors:    those of the executor.
absl::Status WarmUp(ModelExecutor& executor);

}  // namespace baton::worker
