// The request of tokens that a request of another endpoint comes to: what /inference/v1/generate is
// sent, and its sampling is then exactly that of the request. Names are vLLM's where it has one,
// llama.cpp's for its samplers; what is left are ours.
//
// Threading: pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>

#include "frontend/generation/planned_generation.h"

namespace baton::frontend {

// Of one of the prompts, whose constraint has been found good.
void AppendGenerateRequest(const PlannedGeneration& planned, size_t prompt, std::string* out);

}  // namespace baton::frontend
