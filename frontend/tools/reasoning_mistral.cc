// Magistral, Ministral: [THINK]…[/THINK], in older ones <think>…</think>.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_mistral(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"mistral"},
                .openers = {"[THINK]", "<think>"},
                .closers = {"[/THINK]", "</think>"},
                .implicit_closers = {"[TOOL_CALLS]"},
                .trims_end = true,
                .template_signs = {{"[THINK]", "[/THINK]"}, {"[TOOL_CALLS]", "<think>"}}});
}

}  // namespace baton::frontend
