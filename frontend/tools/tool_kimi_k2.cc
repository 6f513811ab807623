// Kimi K2. The text in front of the arguments is the call's id, and has the name in it:
//   <|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:0
//   <|tool_call_argument_begin|>{…}<|tool_call_end|><|tool_calls_section_end|>
#include "frontend/tools/named_json.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

void SplitId(std::string& name, std::string& id) {
  const size_t colon = name.rfind(':');
  if (colon != std::string::npos) {
    id = name;
    name.resize(colon);
  }
  constexpr std::string_view kPrefix = "functions.";
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
}

constexpr std::string_view kAfterName[] = {"<|tool_call_argument_begin|>"};
constexpr NamedJsonNotation kNotation = {.after_name = kAfterName, .split_name = SplitId};

}  // namespace

void Register_tool_kimi_k2(ToolFormatRegistry& registry) {
  registry.Add(
      {.names = {"kimi_k2"},
       .openers = {"<|tool_call_begin|>"},
       .sections = {"<|tool_calls_section_begin|>"},
       .closers = {"<|tool_call_end|>", "<|tool_calls_section_end|>"},
       .inner = {"<|tool_call_argument_begin|>"},
       .make_body = [](const ToolSet&, std::string_view, char) -> std::unique_ptr<CallBody> {
         return std::make_unique<NamedJson>(kNotation);
       },
       .template_signs = {{"<|tool_calls_section_begin|>"}},
       .ids = ToolFormat::Ids::kNumbered});
}

}  // namespace baton::frontend
