// GLM 4.5, Kimi K2 Thinking: <think>…</think>; a tool call ends reasoning too.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_glm45(ReasoningFormatRegistry& registry) {
  registry.Add(
      {.names = {"glm45", "glm47", "kimi_k2"},
       .openers = {"<think>"},
       .closers = {"</think>"},
       .implicit_closers = {"<tool_call>", "<|tool_calls_section_begin|>"},
       .begins_inside = true,
       .trims_end = true,
       .template_signs = {{"<think>", "<arg_key>"}, {"<think>", "<|tool_calls_section_begin|>"}}});
}

}  // namespace baton::frontend
