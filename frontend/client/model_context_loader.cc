#include "frontend/client/model_context_loader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/gguf/gguf_file.h"
#include "common/json/json.h"
#include "common/text/tokenizer/tokenizer_files.h"
#include "frontend/client/card_templates.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kGgufFile = "metadata.gguf";

// A model's own files, read: one of the two kinds of card.
struct ReadCard {
  std::unique_ptr<const Tokenizer> tokenizer;
  TemplateSources templates;
  Json tokenizer_config = Json::object();
};

absl::StatusOr<ReadCard> ReadGgufCard(const std::string& bytes) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Parse(bytes, std::string(kGgufFile)));
  ReadCard read;
  ASSIGN_OR_RETURN(read.tokenizer, Tokenizer::FromGguf(file.metadata()));
  read.templates = TemplatesOfGguf(file.metadata());
  return read;
}

absl::StatusOr<ReadCard> ReadHuggingFaceCard(const ModelCard& card) {
  TokenizerConfig config;
  if (const std::string* text = card.Find("tokenizer_config.json")) {
    auto parsed = ParseTokenizerConfig(*text);
    if (!parsed.ok()) return Annotate(parsed.status(), "tokenizer_config.json");
    config = *std::move(parsed);
  }
  ReadCard read;
  const auto find = [&card](std::string_view name) { return card.Find(std::string(name)); };
  auto tokenizer = LoadTokenizerFiles(find, config);
  if (absl::IsNotFound(tokenizer.status())) {
    return FailedPrecondition("model card: " + std::string(ToStd(tokenizer.status().message())));
  }
  if (!tokenizer.ok()) return Annotate(tokenizer.status(), "model card");
  read.tokenizer = *std::move(tokenizer);
  if (const std::string* text = card.Find("tokenizer_config.json")) {
    ASSIGN_OR_RETURN(read.tokenizer_config, ParseJson(*text));
  }
  ASSIGN_OR_RETURN(read.templates, TemplatesOfCard(card, config));
  return read;
}

void AddSpecialToken(const Tokenizer& tokenizer, std::string_view name, std::optional<TokenId> id,
                     ModelContext& context) {
  if (!id.has_value()) return;
  context.special_tokens.emplace_back(std::string(name), std::string(tokenizer.TokenText(*id)));
}

std::vector<std::string> SpecialTexts(const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.IsSpecial(id) && !tokenizer.TokenText(id).empty()) {
      texts.emplace_back(tokenizer.TokenText(id));
    }
  }
  return texts;
}

// The special tokens that occur in the markup of calls and reasoning.
std::vector<TokenId> MarkupTokens(const Tokenizer& tokenizer, const ModelContext& context) {
  std::vector<std::string_view> marks;
  const auto add = [&marks](const std::vector<std::string_view>& more) {
    marks.insert(marks.end(), more.begin(), more.end());
  };
  if (const ToolFormat* format = context.tool_format) {
    for (const auto* list :
         {&format->openers, &format->sections, &format->closers, &format->inner}) {
      add(*list);
    }
  }
  if (const ReasoningFormat* format = context.reasoning_format) {
    add(format->openers);
    add(format->closers);
  }
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < tokenizer.vocab_size() && !marks.empty(); ++id) {
    const std::string_view text = tokenizer.IsSpecial(id) ? tokenizer.TokenText(id) : "";
    const bool is_markup = std::ranges::any_of(
        marks, [text](std::string_view mark) { return mark.find(text) != std::string_view::npos; });
    if (!text.empty() && is_markup) ids.push_back(id);
  }
  return ids;
}

size_t LongestToken(const Tokenizer& tokenizer) {
  size_t longest = 0;
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    longest = std::max(longest, tokenizer.TokenBytes(id).size());
  }
  return longest;
}

std::vector<std::string> ServedNames(const v1::ModelInfo& model, const ModelOverrides& overrides) {
  if (!overrides.served_names.empty()) return overrides.served_names;
  std::vector<std::string> names = {model.name()};
  names.insert(names.end(), model.aliases().begin(), model.aliases().end());
  return names;
}

template <typename T>
void Override(const std::optional<T>& value, std::optional<T>& target) {
  if (value.has_value()) target = value;
}

absl::StatusOr<GenerationDefaults> DefaultsOf(const ModelCard& card,
                                              const ModelOverrides& overrides) {
  GenerationDefaults defaults;
  const std::string* own = card.Find("generation_config.json");
  if (overrides.generation_config_json.has_value()) own = &*overrides.generation_config_json;
  if (own != nullptr && !overrides.ignore_generation_config) {
    ASSIGN_OR_RETURN(defaults, ParseGenerationDefaults(*own));
  }
  if (!overrides.override_generation_config_json.has_value()) return defaults;
  ASSIGN_OR_RETURN(const GenerationDefaults over,
                   ParseGenerationDefaults(*overrides.override_generation_config_json));
  Override(over.temperature, defaults.temperature);
  Override(over.top_p, defaults.top_p);
  Override(over.top_k, defaults.top_k);
  Override(over.min_p, defaults.min_p);
  Override(over.repetition_penalty, defaults.repetition_penalty);
  defaults.max_new_tokens_cap = over.max_new_tokens;
  return defaults;
}

// What a template shows of the model's way to write, unless the operator said it. The template for
// requests with tools knows best about calls; it comes after the default one.
void Recognise(std::string_view name, const std::string& source, const ModelOverrides& overrides,
               ModelContext& context) {
  const bool is_default = name == "default";
  if (!is_default && name != "tool_use") return;
  const ToolFormat* tools = RecogniseToolFormat(source);
  if (overrides.tool_format == nullptr && tools != nullptr) context.tool_format = tools;
  if (is_default && context.reasoning_format == nullptr) {
    context.reasoning_format = RecogniseReasoningFormat(source);
  }
}

// The templates of the model, or the operator's instead.
absl::Status AddTemplates(const TemplateSources& sources, const ModelOverrides& overrides,
                          ModelContext& context) {
  context.content_format = overrides.content_format;
  context.default_template_kwargs_json = overrides.default_template_kwargs_json;
  context.tool_format = overrides.tool_format;
  context.reasoning_format = overrides.reasoning_format;
  context.reasoning_is_certain = overrides.reasoning_format != nullptr;
  TemplateSources chosen = sources;
  if (overrides.chat_template.has_value()) chosen = {{"default", *overrides.chat_template}};
  for (const auto& [name, source] : chosen) {
    if (source.empty()) continue;
    Recognise(name, source, overrides, context);
    auto compiled = ChatTemplate::Compile(source);
    if (!compiled.ok()) return Annotate(compiled.status(), absl::StrCat("template ", name));
    if (name == "default") {
      context.chat_template = std::make_unique<const ChatTemplate>(*std::move(compiled));
    } else {
      context.named_templates.emplace(name, *std::move(compiled));
    }
  }
  return absl::OkStatus();
}

// What /tokenizer_info shows: tokenizer_config.json with the template that is in use, or as much
// of it as a GGUF file tells.
std::string DescribeTokenizer(const ReadCard& read, const ModelOverrides& overrides,
                              const ModelContext& context) {
  Json config = read.tokenizer_config;
  if (!config.contains("tokenizer_class")) config["tokenizer_class"] = "PreTrainedTokenizerFast";
  for (const auto& [name, text] : context.special_tokens) {
    if (!config.contains(name)) config[name] = text;
  }
  const auto main = read.templates.find("default");
  if (overrides.chat_template.has_value()) {
    config["chat_template"] = *overrides.chat_template;
  } else if (main != read.templates.end()) {
    config["chat_template"] = main->second;
  }
  return SerializeJson(config);
}

}  // namespace

absl::StatusOr<GenerationDefaults> ParseGenerationDefaults(const std::string& json) {
  auto document = ParseJson(json);
  if (!document.ok()) return Annotate(document.status(), "generation_config.json");
  GenerationDefaults defaults;
  ASSIGN_OR_RETURN(defaults.temperature, FindDouble(*document, "temperature"));
  ASSIGN_OR_RETURN(defaults.top_p, FindDouble(*document, "top_p"));
  ASSIGN_OR_RETURN(defaults.top_k, FindInt(*document, "top_k"));
  ASSIGN_OR_RETURN(defaults.min_p, FindDouble(*document, "min_p"));
  ASSIGN_OR_RETURN(defaults.repetition_penalty, FindDouble(*document, "repetition_penalty"));
  ASSIGN_OR_RETURN(defaults.max_new_tokens, FindInt(*document, "max_new_tokens"));
  return defaults;
}

absl::StatusOr<std::shared_ptr<const ModelContext>> LoadModelContext(
    const ModelCard& card, const v1::ListModelsReply::Entry& entry, const ModelOverrides& overrides,
    int64_t created) {
  const std::string* gguf = card.Find(kGgufFile);
  ASSIGN_OR_RETURN(ReadCard read,
                   gguf != nullptr ? ReadGgufCard(*gguf) : ReadHuggingFaceCard(card));
  auto context = std::make_shared<ModelContext>();
  const v1::ModelInfo& model = entry.model();
  context->routed_name = model.name();
  context->served_names = ServedNames(model, overrides);
  context->card_digest = model.card_digest();
  context->model_digest = model.model_digest();
  context->max_model_len = model.max_model_len();
  context->block_size = entry.block_size() > 0 ? entry.block_size() : 64;
  context->created = created;
  ASSIGN_OR_RETURN(context->defaults, DefaultsOf(card, overrides));

  const Tokenizer& tokenizer = *read.tokenizer;
  context->vocab_size =
      model.vocab_size() > 0 ? model.vocab_size() : static_cast<uint32_t>(tokenizer.vocab_size());
  context->eos_id = tokenizer.eos_id();
  context->token_bytes_max = LongestToken(tokenizer);
  context->special_texts = SpecialTexts(tokenizer);
  AddSpecialToken(tokenizer, "bos_token", tokenizer.bos_id(), *context);
  AddSpecialToken(tokenizer, "eos_token", tokenizer.eos_id(), *context);
  AddSpecialToken(tokenizer, "unk_token", tokenizer.unk_id(), *context);
  AddSpecialToken(tokenizer, "pad_token", tokenizer.pad_id(), *context);
  RETURN_IF_ERROR(AddTemplates(read.templates, overrides, *context));
  context->tokenizer_config_json = DescribeTokenizer(read, overrides, *context);
  context->tokenizer = std::move(read.tokenizer);
  context->markup_tokens = MarkupTokens(*context->tokenizer, *context);
  return context;
}

}  // namespace baton::frontend
