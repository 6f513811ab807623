// DeepSeek V3.1:
//   <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>NAME<｜tool▁sep｜>{…}<｜tool▁call▁end｜><｜tool▁calls▁end｜>
#include "frontend/tools/named_json.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kAfterName[] = {"<｜tool▁sep｜>"};
constexpr NamedJsonNotation kNotation = {.after_name = kAfterName};

}  // namespace

void Register_tool_deepseek_v31(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"deepseek_v31"},
       .openers = {"<｜tool▁call▁begin｜>"},
       .sections = {"<｜tool▁calls▁begin｜>"},
       .closers = {"<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"},
       .inner = {"<｜tool▁sep｜>"},
       .make_body = [](const ToolSet&, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<NamedJson>(kNotation);
       },
       .syntax = {.section_begin = "<｜tool▁calls▁begin｜>",
                  .call_begin = "<｜tool▁call▁begin｜>",
                  .after_name = "<｜tool▁sep｜>",
                  .call_end = "<｜tool▁call▁end｜>",
                  .section_end = "<｜tool▁calls▁end｜>"},
       .template_signs = {{"<｜tool▁calls▁begin｜>"}}});
}

}  // namespace baton::frontend
