#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

#define BATON_REASONING_PARSER(name) void Register_##name(ReasoningFormatRegistry& registry);
#include "frontend/tools/reasoning_parsers.def"
#undef BATON_REASONING_PARSER

namespace {

const ReasoningFormatRegistry& Registry() {
  static const ReasoningFormatRegistry& registry = *[] {
    auto* all = new ReasoningFormatRegistry;
#define BATON_REASONING_PARSER(name) Register_##name(*all);
#include "frontend/tools/reasoning_parsers.def"
#undef BATON_REASONING_PARSER
    return all;
  }();
  return registry;
}

}  // namespace

const ReasoningFormat* FindReasoningFormat(std::string_view name) { return Registry().Find(name); }

std::vector<std::string> ReasoningFormatNames() { return Registry().Names(); }

const ReasoningFormat* RecogniseReasoningFormat(std::string_view template_source) {
  return Registry().Recognise(template_source);
}

}  // namespace baton::frontend
