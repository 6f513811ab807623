// gpt-oss: calls are messages of the commentary channel, which HarmonySplitter reads.
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_harmony(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"openai", "gpt_oss"},
       .inner = {"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>",
                 "<|return|>"},
       .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<JsonCalls>(tools, Names::kDeclared);
       },
       .template_signs = {{"<|channel|>", "<|message|>", "<|start|>"}},
       .in_channels = true});
}

}  // namespace baton::frontend
