// Qwen3-Coder, Qwen 3.5, Nemotron 3, Step 3.5; the outer tag is often forgotten:
//   <tool_call>
//   <function=NAME>
//   <parameter=KEY>
//   VALUE
//   </parameter>
//   </function>
//   </tool_call>
#include "frontend/tools/json_calls.h"
#include "frontend/tools/tagged_arguments.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kFunction = "<function=";
constexpr std::string_view kAfterName[] = {">"};
constexpr std::string_view kEnds[] = {"</function>", "</tool_call>"};
constexpr std::string_view kEndsInValue[] = {"</function>"};
constexpr TaggedNotation kNotation = {.before_name = kFunction,
                                      .after_name = kAfterName,
                                      .before_key = "<parameter=",
                                      .after_key = ">",
                                      .after_value = "</parameter>",
                                      .ends = kEnds,
                                      .ends_in_value = kEndsInValue,
                                      .trims_newlines = true};

}  // namespace

void Register_tool_qwen3_coder(ToolFormatRegistry& registry) {
  registry.Add({.names = {"qwen3_coder", "qwen3_xml", "step3p5", "mimo", "seed_oss"},
                .openers = {"<tool_call>", "<seed:tool_call>", kFunction},
                .closers = {"</function>", "</tool_call>", "</seed:tool_call>"},
                .make_body = [](const ToolSet& tools, std::string_view opener,
                                char first) -> std::unique_ptr<CallBody> {
                  if (first == '{') return std::make_unique<JsonCalls>(tools, Names::kAny);
                  return std::make_unique<TaggedArguments>(kNotation, tools, opener == kFunction);
                },
                .template_signs = {{"<tool_call>", "<function=", "<parameter="},
                                   {"<seed:tool_call>", "<function=", "<parameter="}}});
}

}  // namespace baton::frontend
