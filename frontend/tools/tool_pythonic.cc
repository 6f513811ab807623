// Llama 3.2 and 4, ToolACE, Gemma 3, LFM2: [get_weather(city="Oslo"), now()]
#include "frontend/tools/python_calls.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

void Register_tool_pythonic(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"pythonic", "llama4_pythonic", "lfm2"},
       .openers = {"<|python_start|>", "<|tool_call_start|>"},
       .closers = {"<|python_end|>", "<|tool_call_end|>"},
       .bare = "[",
       .make_body = [](const ToolSet& tools, std::string_view opener,
                       char) -> std::unique_ptr<CallBody> {
         return std::make_unique<PythonCalls>(tools,
                                              opener.empty() ? Names::kDeclared : Names::kAny);
       },
       .template_signs = {{"<|python_start|>"}, {"[func_name1(param"}, {"<|tool_list_start|>"}}});
}

}  // namespace baton::frontend
