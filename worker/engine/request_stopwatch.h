// How long the parts of each choice's life took: waiting, its prompt, its output. Keeps the times
// of requests that run; a choice that is cancelled or fails is not told.
//
// Threading: owned by the engine thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "worker/engine/engine_events.h"

namespace baton::worker {

class RequestStopwatch {
 public:
  // The news of a step that began at `begin` and ended at `end`.
  void OnStep(const StepEvents& events, MonotonicTime begin, MonotonicTime end);

  // Of the choices that have finished since it was last asked.
  std::vector<ChoiceTimes> TakeFinished();

 private:
  struct Request {
    MonotonicTime admitted;
    int32_t computed_prompt_tokens = 0;
    std::vector<std::optional<MonotonicTime>> first_token = {};  // by choice
  };

  absl::flat_hash_map<const GenerationRequest*, Request> requests_;
  std::vector<ChoiceTimes> finished_;
};

}  // namespace baton::worker
