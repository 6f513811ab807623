// Granite 3: a marker, then a list:
//   <|tool_call|>[{"name": …, "arguments": {…}}]
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_granite(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"granite"},
       .openers = {"<|tool_call|>", "<tool_call>"},
       .closers = {"</tool_call>"},
       .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<JsonCalls>(tools, Names::kAny);
       },
       .syntax = {.section_begin = "<|tool_call|>[",
                  .call_begin = "{\"name\": \"",
                  .after_name = "\", \"arguments\": ",
                  .call_end = "}",
                  .separator = ", ",
                  .section_end = "]"},
       .template_signs = {{"<|tool_call|>", "<|start_of_role|>"},
                          {"<|start_of_role|>", "Write the response to the user"}}});
}

}  // namespace baton::frontend
