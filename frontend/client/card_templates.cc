#include "frontend/client/card_templates.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kMainFile = "chat_template.jinja";
constexpr std::string_view kLegacyFile = "chat_template.json";
constexpr std::string_view kFolder = "additional_chat_templates/";
constexpr std::string_view kSuffix = ".jinja";
constexpr std::string_view kGgufKey = "tokenizer.chat_template";

// The files of templates, by name; empty if there are none.
TemplateSources TemplateFiles(const ModelCard& card) {
  TemplateSources sources;
  if (const std::string* main = card.Find(kMainFile)) sources["default"] = *main;
  for (const auto& [file, text] : card.files) {
    if (!file.starts_with(kFolder) || !file.ends_with(kSuffix)) continue;
    const size_t name_bytes = file.size() - kFolder.size() - kSuffix.size();
    sources[file.substr(kFolder.size(), name_bytes)] = text;
  }
  return sources;
}

}  // namespace

absl::StatusOr<TemplateSources> TemplatesOfCard(const ModelCard& card,
                                                const TokenizerConfig& config) {
  TemplateSources sources = TemplateFiles(card);
  if (!sources.empty()) return sources;
  if (const std::string* text = card.Find(kLegacyFile)) {
    auto document = ParseJson(*text);
    if (!document.ok()) return Annotate(document.status(), kLegacyFile);
    ASSIGN_OR_RETURN(const auto source, FindString(*document, "chat_template"));
    if (source.has_value()) return TemplateSources{{"default", *source}};
  }
  return config.chat_templates;
}

TemplateSources TemplatesOfGguf(const GgufMetadata& metadata) {
  TemplateSources sources;
  const auto add = [&](const std::string& name, const std::string& key) {
    const auto source = metadata.GetString(key);
    if (source.ok() && !source->empty()) sources[name] = std::string(*source);
  };
  add("default", std::string(kGgufKey));
  const auto names = metadata.GetStrings("tokenizer.chat_templates");
  if (!names.ok()) return sources;
  for (const std::string_view name : *names) {
    add(std::string(name), absl::StrCat(ToAbsl(kGgufKey), ".", ToAbsl(name)));
  }
  return sources;
}

}  // namespace baton::frontend
