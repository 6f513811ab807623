// The fields of a request body, one row each: what is read, what may be ignored, what is refused.
//
// A row moves from kUnsupported to kSupported when the feature comes; nothing else changes. An
// endpoint's body is read with one or more tables; where a name stands in several, the first wins.
//
//   {"top_k", Support::kSupported, [](const JsonField& f, GenerationRequest& r) {
//      if (auto v = f.Int()) r.sampling.top_k = *v; }},
//
// Threading: immutable tables, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "absl/types/span.h"
#include "frontend/json/json_field.h"
#include "frontend/request/generation_request.h"

namespace baton::frontend {

enum class Support : uint8_t {
  kSupported,
  kHint,         // cannot change the text: ignored, and counted
  kUnsupported,  // would change the answer: refused by name unless its value means nothing
};

struct Parameter {
  std::string_view name;
  Support support;
  // kSupported. Null values never get here: they mean the same as an absent field.
  void (*read)(const JsonField& field, GenerationRequest& request) = nullptr;
  // kUnsupported: true for a value that leaves the answer as it is. Absent: JsonField::IsEmpty.
  bool (*neutral)(const JsonField& field) = nullptr;
};

// Fields of every generation endpoint, of the OpenAI API, vLLM and llama.cpp. Those that requests
// of tokens have, too, stand in two tables of their own: that of the body, and that of what vLLM's
// SamplingParams hold.
absl::Span<const Parameter> SharedParameters();
absl::Span<const Parameter> EnvelopeParameters();
absl::Span<const Parameter> SamplingParameters();
absl::Span<const Parameter> SamplerParameters();
// Those that only one endpoint has, or reads in its own way.
absl::Span<const Parameter> ChatParameters();
absl::Span<const Parameter> CompletionParameters();
// Tools and reasoning, of the chat endpoint.
absl::Span<const Parameter> ToolParameters();
// Of requests of tokens: their body's, and those of the sampling_params in it.
absl::Span<const Parameter> TokenParameters();
absl::Span<const Parameter> TokenSamplingParameters();

// Reads the messages of one conversation.
void ReadMessages(const JsonField& field, GenerationRequest& request);

// Reads a count of log-probabilities. What is no number, a number's text included, is noted in the
// request and refused with its rules: vLLM looks at these fields before the schema does.
std::optional<int64_t> ReadLogprobCount(const JsonField& field, GenerationRequest& request);

}  // namespace baton::frontend
