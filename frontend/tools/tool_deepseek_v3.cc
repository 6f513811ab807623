// DeepSeek V3 and R1:
//   <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME
//   ```json
//   {…}
//   ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
#include "frontend/tools/named_json.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kAfterName[] = {"\n", "```json"};
constexpr NamedJsonNotation kNotation = {.before_name = "function<｜tool▁sep｜>",
                                         .after_name = kAfterName,
                                         .before_arguments = "```json"};

}  // namespace

void Register_tool_deepseek_v3(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"deepseek_v3"},
       .openers = {"<｜tool▁call▁begin｜>"},
       .sections = {"<｜tool▁calls▁begin｜>"},
       .closers = {"\n```<｜tool▁call▁end｜>", "```<｜tool▁call▁end｜>", "<｜tool▁call▁end｜>",
                   "<｜tool▁calls▁end｜>"},
       .inner = {"<｜tool▁sep｜>"},
       .make_body = [](const ToolSet&, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<NamedJson>(kNotation);
       },
       .syntax = {.section_begin = "<｜tool▁calls▁begin｜>",
                  .call_begin = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                  .after_name = "\n```json\n",
                  .call_end = "\n```<｜tool▁call▁end｜>",
                  .separator = "\n",
                  .section_end = "<｜tool▁calls▁end｜>"},
       .template_signs = {{"<｜tool▁calls▁begin｜>", "```json"}}});
}

}  // namespace baton::frontend
