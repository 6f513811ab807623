// Qwen 3, QwQ and others: <think>…</think>; a tool call ends reasoning too.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_qwen3(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"qwen3", "mimo", "nemotron_v3", "step3p5"},
                .openers = {"<think>"},
                .closers = {"</think>"},
                .implicit_closers = {"<tool_call>"},
                .begins_inside = true,
                .template_signs = {{"<think>"}}});
}

}  // namespace baton::frontend
