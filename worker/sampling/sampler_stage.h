// One step between raw logits and the draw. A stage is a file <name>.cc that defines Stage_<name>()
// and a line in samplers.def; the order of the lines is the default order of application.
//
// Threading: pure functions on the caller's Candidates.
#pragma once

#include <string>
#include <vector>

#include "worker/engine/step_plan.h"
#include "worker/sampling/candidates.h"

namespace baton::worker {

// When a stage runs.
enum class StageRole {
  kRule,       // always, before all others: what may be said at all
  kSampler,    // where the request's order names it
  kExclusive,  // instead of all samplers but temperature
};

struct SamplerStage {
  StageRole role = StageRole::kSampler;
  // True: it never changes which token is the likeliest, so greedy requests skip it.
  bool stochastic = false;
  // False: Apply would change nothing, and is not called.
  bool (*active)(const SampleRequest& request) = nullptr;
  void (*apply)(const SampleRequest& request, Candidates& candidates) = nullptr;
  // What the sequence's next draw is given as SampleRequest::state, after `token` has been drawn
  // from `candidates`. Null: the stage has no state. At most one active stage has any.
  std::string (*next_state)(const SampleRequest& request, Candidates& candidates,
                            TokenId token) = nullptr;
};

// Whether the request's constraint lets `token` be drawn.
inline bool IsAllowed(TokenId token, const SampleRequest& request) {
  if (request.allowed.empty()) return true;
  return (request.allowed[token / 32] >> (token % 32) & 1) != 0;
}

// All lines of samplers.def, in order.
std::vector<SamplerStage> AllSamplerStages();

}  // namespace baton::worker
