#include "frontend/client/model_context_loader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/gguf/gguf_file.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

constexpr std::string_view kGgufFile = "metadata.gguf";

// A model's own files, read: one of the two kinds of card.
struct ReadCard {
  std::unique_ptr<const Tokenizer> tokenizer;
  std::optional<std::string> chat_template;
};

absl::StatusOr<ReadCard> ReadGgufCard(const std::string& bytes) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Parse(bytes, std::string(kGgufFile)));
  ReadCard read;
  ASSIGN_OR_RETURN(read.tokenizer, Tokenizer::FromGguf(file.metadata()));
  const auto source = file.metadata().GetString("tokenizer.chat_template");
  if (source.ok()) read.chat_template = std::string(*source);
  return read;
}

absl::StatusOr<ReadCard> ReadHuggingFaceCard(const ModelCard& card) {
  const std::string* tokenizer_json = card.Find("tokenizer.json");
  if (tokenizer_json == nullptr) {
    return FailedPrecondition("model card: it has neither tokenizer.json nor metadata.gguf");
  }
  TokenizerConfig config;
  if (const std::string* text = card.Find("tokenizer_config.json")) {
    auto parsed = ParseTokenizerConfig(*text);
    if (!parsed.ok()) return Annotate(parsed.status(), "tokenizer_config.json");
    config = *std::move(parsed);
  }
  ReadCard read;
  auto tokenizer = Tokenizer::FromJson(*tokenizer_json, config);
  if (!tokenizer.ok()) return Annotate(tokenizer.status(), "tokenizer.json");
  read.tokenizer = *std::move(tokenizer);
  if (const std::string* source = card.Find("chat_template.jinja")) {
    read.chat_template = *source;
  } else if (const auto it = config.chat_templates.find("default");
             it != config.chat_templates.end()) {
    read.chat_template = it->second;
  }
  return read;
}

void AddSpecialToken(const Tokenizer& tokenizer, std::string_view name, std::optional<TokenId> id,
                     ModelContext& context) {
  if (!id.has_value()) return;
  context.special_tokens.emplace_back(std::string(name), std::string(tokenizer.TokenText(*id)));
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

absl::StatusOr<GenerationDefaults> DefaultsOf(const ModelCard& card,
                                              const ModelOverrides& overrides) {
  if (overrides.generation_config_json.has_value()) {
    return ParseGenerationDefaults(*overrides.generation_config_json);
  }
  const std::string* own = card.Find("generation_config.json");
  if (own == nullptr || overrides.ignore_generation_config) return GenerationDefaults();
  return ParseGenerationDefaults(*own);
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
  AddSpecialToken(tokenizer, "bos_token", tokenizer.bos_id(), *context);
  AddSpecialToken(tokenizer, "eos_token", tokenizer.eos_id(), *context);
  AddSpecialToken(tokenizer, "unk_token", tokenizer.unk_id(), *context);
  AddSpecialToken(tokenizer, "pad_token", tokenizer.pad_id(), *context);
  context->tokenizer = std::move(read.tokenizer);

  const std::optional<std::string>& source =
      overrides.chat_template.has_value() ? overrides.chat_template : read.chat_template;
  if (source.has_value() && !source->empty()) {
    ASSIGN_OR_RETURN(ChatTemplate compiled, ChatTemplate::Compile(*source));
    context->chat_template = std::make_unique<const ChatTemplate>(std::move(compiled));
  }
  return context;
}

}  // namespace baton::frontend
