// One step between raw logits and the draw. A stage is a file <name>.cc that defines Stage_<name>()
// and a line in samplers.def; the order of the lines is the order of application.
//
// Threading: pure functions on the caller's Candidates.
#pragma once

#include "worker/engine/step_plan.h"
#include "worker/sampling/candidates.h"

namespace baton::worker {

struct SamplerStage {
  // True: only random draws need it, greedy ones skip it.
  bool stochastic = false;
  // False: Apply would change nothing, and is not called.
  bool (*active)(const SampleRequest& request) = nullptr;
  void (*apply)(const SampleRequest& request, Candidates& candidates) = nullptr;
};

}  // namespace baton::worker
