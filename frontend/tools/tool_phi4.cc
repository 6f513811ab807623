// Phi-4 mini: functools[{"name": …, "arguments": {…}}]
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_phi4(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"phi4_mini_json"},
       .openers = {"functools"},
       .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<JsonCalls>(tools, Names::kAny);
       },
       .syntax = {.section_begin = "functools[",
                  .call_begin = "{\"name\": \"",
                  .after_name = "\", \"arguments\": ",
                  .call_end = "}",
                  .separator = ", ",
                  .section_end = "]"},
       .template_signs = {{"functools["}, {"<|tool|>", "<|/tool|>"}}});
}

}  // namespace baton::frontend
