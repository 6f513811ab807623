// Llama 3.1 and later: {"name": …, "parameters": {…}}, maybe behind <|python_tag|>, several
// separated by semicolons.
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_llama3_json(ToolFormatRegistry& registry) {
  registry.Add({.names = {"llama3_json", "llama4_json"},
                .openers = {"<|python_tag|>"},
                .closers = {"<|eom_id|>"},
                .bare = "{",
                .bare_anywhere = true,
                .bare_separators = ";,",
                .make_body = [](const ToolSet& tools, std::string_view opener,
                                char) -> std::unique_ptr<CallBody> {
                  return std::make_unique<JsonCalls>(
                      tools, opener.empty() ? Names::kDeclared : Names::kAny);
                },
                .syntax = {.call_begin = "{\"name\": \"",
                           .after_name = "\", \"parameters\": ",
                           .call_end = "}",
                           .separator = "; "},
                .template_signs = {{"<|start_header_id|>", "\"parameters\":"},
                                   {"<|header_start|>", "\"parameters\":"}}});
}

}  // namespace baton::frontend
