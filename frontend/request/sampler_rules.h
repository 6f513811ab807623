// What the sampler fields of a request mean: checked, and told to a worker.
//
//   RETURN_IF_ERROR(CheckSamplers(request, limits));
//   RETURN_IF_ERROR(AddSamplers(request.samplers, preset, tokenizer, sampling));
//
// Threading: pure functions, any thread.
// Errors:    INVALID_ARGUMENT with the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/inference.pb.h"
#include "common/text/tokenizer/tokenizer.h"
#include "frontend/request/generation_request.h"
#include "frontend/request/request_rules.h"
#include "frontend/request/sampler_options.h"

namespace baton::frontend {

// llama.cpp's samplers in its default order, by name.
const std::vector<std::string>& LlamaSamplers();

// The samplers that a list names, with its aliases; what nobody knows is left out, as llama.cpp
// does. The second form has a letter for each: "kpt" is top_k, top_p, temperature.
std::vector<std::string> SamplersOfNames(const std::vector<std::string>& names);
std::vector<std::string> SamplersOfLetters(std::string_view letters);

// The order in which the samplers run. As in llama.cpp those that it does not name do not run, the
// temperature neither, unless mirostat runs in their place. Call it when the rest is set.
void SetSamplerOrder(const std::vector<std::string>& names, v1::SamplingParams& sampling);

// What needs the model's limits and nothing else.
absl::Status CheckSamplers(const GenerationRequest& request, const ModelLimits& limits);

// Adds them to what a worker is told. `preset` says what holds where the request says nothing.
absl::Status AddSamplers(const GenerationRequest& request, ApiPreset preset,
                         const Tokenizer& tokenizer, v1::SamplingParams& sampling);

// The tokens of a text that must not be in the output: with a space in front, and without where
// that is as many tokens.
std::vector<std::vector<TokenId>> BadWordTokens(std::string_view word, const Tokenizer& tokenizer);

// Bias of a token, or of all tokens of a text; on top of what is there.
absl::Status AddBiases(const SamplerOptions& samplers, const Tokenizer& tokenizer,
                       v1::SamplingParams& sampling);

}  // namespace baton::frontend
