// Mistral, by tokenizer version:
//   [TOOL_CALLS][{"name": …, "arguments": {…}}]     before 11
//   [TOOL_CALLS]NAME[ARGS]{…}                       from 11 on, [CALL_ID]… maybe behind the name
#include "frontend/tools/json_calls.h"
#include "frontend/tools/named_json.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {
namespace {

void SplitCallId(std::string& name, std::string& id) {
  constexpr std::string_view kMarker = "[CALL_ID]";
  const size_t at = name.find(kMarker);
  if (at == std::string::npos) return;
  id = name.substr(at + kMarker.size());
  name.resize(at);
}

constexpr std::string_view kAfterName[] = {"[ARGS]", "{"};
constexpr NamedJsonNotation kNotation = {.after_name = kAfterName, .split_name = SplitCallId};

}  // namespace

void Register_tool_mistral(ToolFormatRegistry& registry) {
  registry.Add({.names = {"mistral"},
                .openers = {"[TOOL_CALLS]"},
                .inner = {"[ARGS]", "[CALL_ID]"},
                .make_body = [](const ToolSet& tools, std::string_view,
                                char first) -> std::unique_ptr<CallBody> {
                  if (first == '[' || first == '{') {
                    return std::make_unique<JsonCalls>(tools, Names::kAny);
                  }
                  return std::make_unique<NamedJson>(kNotation);
                },
                .syntax = {.section_begin = "[TOOL_CALLS][",
                           .call_begin = "{\"name\": \"",
                           .after_name = "\", \"arguments\": ",
                           .call_end = "}",
                           .separator = ", ",
                           .section_end = "]"},
                .newer_token = "[ARGS]",
                .newer_syntax = {.call_begin = "[TOOL_CALLS]", .after_name = "[ARGS]"},
                .template_signs = {{"[TOOL_CALLS]"}},
                .ids = ToolFormat::Ids::kNineLetters});
}

}  // namespace baton::frontend
