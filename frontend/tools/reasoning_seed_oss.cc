// Seed-OSS: <seed:think>…</seed:think>.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_seed_oss(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"seed_oss"},
                .openers = {"<seed:think>"},
                .closers = {"</seed:think>"},
                .implicit_closers = {"<seed:tool_call>"},
                .begins_inside = true,
                .trims_end = true,
                .template_signs = {{"<seed:think>", "</seed:think>"}}});
}

}  // namespace baton::frontend
