#include "frontend/tools/reasoning_format.h"

#include <utility>

namespace baton::frontend {

#define BATON_REASONING_PARSER(name) void Register_##name(ReasoningFormatRegistry& registry);
#include "frontend/tools/reasoning_parsers.def"
#undef BATON_REASONING_PARSER

namespace {

const std::vector<ReasoningFormat>& Formats() {
  static const ReasoningFormatRegistry& registry = *[] {
    auto* all = new ReasoningFormatRegistry;
#define BATON_REASONING_PARSER(name) Register_##name(*all);
#include "frontend/tools/reasoning_parsers.def"
#undef BATON_REASONING_PARSER
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

const ReasoningFormat* FindReasoningFormat(std::string_view name) {
  for (const ReasoningFormat& format : Formats()) {
    for (const std::string_view own : format.names) {
      if (own == name) return &format;
    }
  }
  return nullptr;
}

std::vector<std::string> ReasoningFormatNames() {
  std::vector<std::string> names;
  for (const ReasoningFormat& format : Formats()) {
    names.insert(names.end(), format.names.begin(), format.names.end());
  }
  return names;
}

const ReasoningFormat* RecogniseReasoningFormat(std::string_view template_source) {
  const ReasoningFormat* best = nullptr;
  size_t most = 0;
  for (const ReasoningFormat& format : Formats()) {
    for (const std::vector<std::string_view>& signs : format.template_signs) {
      if (signs.size() <= most || !HasAll(template_source, signs)) continue;
      best = &format;
      most = signs.size();
    }
  }
  return best;
}

}  // namespace baton::frontend
