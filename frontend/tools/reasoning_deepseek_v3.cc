// DeepSeek V3.1 and later, Holo 2: <think>…</think>, when the request asks for it.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_deepseek_v3(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"deepseek_v3", "holo2"},
                .openers = {"<think>"},
                .closers = {"</think>"},
                .begins_inside = true,
                .on_request = true,
                .template_signs = {{"<think>", "<｜Assistant｜>", "thinking"}}});
}

}  // namespace baton::frontend
