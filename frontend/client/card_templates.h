// The chat templates that a model card brings, chosen as transformers chooses them.
//
// A model has one template, or several by name: "default", "tool_use" for requests with tools,
// "rag" for those with documents. In the order of precedence: chat_template.jinja with
// additional_chat_templates/NAME.jinja, chat_template.json, tokenizer_config.json. A GGUF file has
// tokenizer.chat_template and tokenizer.chat_template.NAME.
//
// Threading: pure functions.
// Errors:    INVALID_ARGUMENT for a chat_template.json that cannot be read.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/gguf/gguf_metadata.h"
#include "common/text/tokenizer/tokenizer_config.h"
#include "frontend/client/model_source.h"

namespace baton::frontend {

// Sources by name; a model's only template is "default".
using TemplateSources = std::map<std::string, std::string>;

absl::StatusOr<TemplateSources> TemplatesOfCard(const ModelCard& card,
                                                const TokenizerConfig& config);
TemplateSources TemplatesOfGguf(const GgufMetadata& metadata);

}  // namespace baton::frontend
