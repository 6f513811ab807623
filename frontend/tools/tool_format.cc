#include "frontend/tools/tool_format.h"

#include "frontend/tools/json_calls.h"

namespace baton::frontend {

#define BATON_TOOL_PARSER(name) void Register_##name(ToolFormatRegistry& registry);
#include "frontend/tools/tool_parsers.def"
#undef BATON_TOOL_PARSER

namespace {

const std::vector<ToolFormat>& Formats() {
  static const ToolFormatRegistry& registry = *[] {
    auto* all = new ToolFormatRegistry;
#define BATON_TOOL_PARSER(name) Register_##name(*all);
#include "frontend/tools/tool_parsers.def"
#undef BATON_TOOL_PARSER
    return all;
  }();
  return registry.formats();
}

bool HasAll(std::string_view text, const std::vector<std::string_view>& signs) {
  for (const std::string_view sign : signs) {
    if (text.find(sign) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

const ToolFormat* FindToolFormat(std::string_view name) {
  for (const ToolFormat& format : Formats()) {
    for (const std::string_view own : format.names) {
      if (own == name) return &format;
    }
  }
  return nullptr;
}

std::vector<std::string> ToolFormatNames() {
  std::vector<std::string> names;
  for (const ToolFormat& format : Formats()) {
    names.insert(names.end(), format.names.begin(), format.names.end());
  }
  return names;
}

const ToolFormat* RecogniseToolFormat(std::string_view template_source) {
  const ToolFormat* best = nullptr;
  size_t most = 0;
  for (const ToolFormat& format : Formats()) {
    for (const std::vector<std::string_view>& signs : format.template_signs) {
      if (signs.size() <= most || !HasAll(template_source, signs)) continue;
      best = &format;
      most = signs.size();
    }
  }
  return best;
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
