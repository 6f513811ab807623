// Hermes, Qwen 2.5, QwQ, Qwen 3:
//   <tool_call>
//   {"name": …, "arguments": {…}}
//   </tool_call>
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_hermes(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"hermes", "qwen", "qwen3_json", "granite4", "longcat"},
       .openers = {"<tool_call>", "<longcat_tool_call>"},
       .closers = {"</tool_call>", "</longcat_tool_call>"},
       .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<JsonCalls>(tools, Names::kAny);
       },
       .syntax = {.call_begin = "<tool_call>\n{\"name\": \"",
                  .after_name = "\", \"arguments\": ",
                  .call_end = "}\n</tool_call>",
                  .separator = "\n"},
       .template_signs = {{"<tool_call>"},
                          {"<tool_call>\\n{", "</tool_call>", "<|start_of_role|>"}}});
}

}  // namespace baton::frontend
