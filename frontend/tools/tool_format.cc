#include "frontend/tools/tool_format.h"

#include "frontend/tools/json_calls.h"

namespace baton::frontend {

#define BATON_TOOL_PARSER(name) void Register_##name(ToolFormatRegistry& registry);
#include "frontend/tools/tool_parsers.def"
#undef BATON_TOOL_PARSER

namespace {

const ToolFormatRegistry& Registry() {
  static const ToolFormatRegistry& registry = *[] {
    auto* all = new ToolFormatRegistry;
#define BATON_TOOL_PARSER(name) Register_##name(*all);
#include "frontend/tools/tool_parsers.def"
#undef BATON_TOOL_PARSER
    return all;
  }();
  return registry;
}

}  // namespace

const ToolFormat* FindToolFormat(std::string_view name) { return Registry().Find(name); }

std::vector<std::string> ToolFormatNames() { return Registry().Names(); }

const ToolFormat* RecogniseToolFormat(std::string_view template_source) {
  return Registry().Recognise(template_source);
}

const ToolFormat& PlainToolFormat() {
  static const ToolFormat& plain = *new ToolFormat{
      .names = {"json"},
      .bare = "[{",
      .make_body = [](const ToolSet& tools, std::string_view, char) -> std::unique_ptr<CallBody> {
        return std::make_unique<JsonCalls>(tools, Names::kDeclared);
      },
      .syntax = {.section_begin = "[",
                 .call_begin = "{\"name\": \"",
                 .after_name = "\", \"parameters\": ",
                 .call_end = "}",
                 .separator = ", ",
                 .section_end = "]"}};
  return plain;
}

const ToolFormat& UnmarkedToolFormat() {
  static const ToolFormat& unmarked = *new ToolFormat{.names = {"none"}, .make_body = nullptr};
  return unmarked;
}

}  // namespace baton::frontend
