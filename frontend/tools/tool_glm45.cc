// GLM 4.5 and later:
//   <tool_call>NAME
//   <arg_key>K</arg_key>
//   <arg_value>V</arg_value>
//   </tool_call>
#include "frontend/tools/tagged_arguments.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kAfterName[] = {"\n"};
constexpr std::string_view kEnds[] = {"</tool_call>"};
constexpr TaggedNotation kNotation = {.after_name = kAfterName,
                                      .before_key = "<arg_key>",
                                      .after_key = "</arg_key>",
                                      .before_value = "<arg_value>",
                                      .after_value = "</arg_value>",
                                      .ends = kEnds};

}  // namespace

void Register_tool_glm45(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"glm45", "glm47"},
       .openers = {"<tool_call>"},
       .closers = {"</tool_call>"},
       .inner = {"<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"},
       .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<TaggedArguments>(kNotation, tools, /*named=*/true);
       },
       .template_signs = {{"<tool_call>", "<arg_key>", "<arg_value>"}}});
}

}  // namespace baton::frontend
