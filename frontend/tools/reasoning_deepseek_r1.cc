// DeepSeek R1: <think>…</think>, the opening mark usually written by the template.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_deepseek_r1(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"deepseek_r1", "minimax_m2", "step3", "ernie45", "olmo3"},
                .openers = {"<think>"},
                .closers = {"</think>"},
                .begins_inside = true,
                .template_signs = {{"<think>", "<｜Assistant｜>"}}});
}

}  // namespace baton::frontend
