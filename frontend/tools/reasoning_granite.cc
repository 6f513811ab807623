// Granite 3: headings in plain words.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_granite(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"granite"},
                .openers = {"Here is my thought process:", "Here's my thought process:"},
                .closers = {"Here is my response:", "Here's my response:"},
                .template_signs = {{"Here is my thought process:"},
                                   {"<|start_of_role|>", "Here's my thought process:"}}});
}

}  // namespace baton::frontend
