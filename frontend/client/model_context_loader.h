// Turns a model card into a ModelContext: tokenizer, chat template, generation config.
//
// Threading: a pure function, slow (a large vocabulary takes a good part of a second): not for RPC
//            threads.
// Errors:    those of the tokenizer, the template compiler and the JSON reader, with the card's
// file
//            named; FAILED_PRECONDITION for a card without a tokenizer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/router.pb.h"
#include "frontend/client/model_context.h"
#include "frontend/client/model_source.h"

namespace baton::frontend {

// What the operator sets for every model.
struct ModelOverrides {
  std::vector<std::string> served_names;     // instead of the model's own; one model only
  std::optional<std::string> chat_template;  // its source
  // "auto": the card's; "vllm": none; otherwise the given file's text.
  bool ignore_generation_config = false;
  // Instead of what the chat template shows; null: as recognised.
  const ToolFormat* tool_format = nullptr;
  const ReasoningFormat* reasoning_format = nullptr;
  std::optional<std::string> generation_config_json;
  // Merged over whichever of the above; its max_new_tokens is a limit.
  std::optional<std::string> override_generation_config_json;
  std::optional<ContentFormat> content_format;  // absent: as each template wants it
  std::string default_template_kwargs_json;     // an object, or empty
};

absl::StatusOr<std::shared_ptr<const ModelContext>> LoadModelContext(
    const ModelCard& card, const v1::ListModelsReply::Entry& entry, const ModelOverrides& overrides,
    int64_t created);

// The fields of a generation_config.json that requests fall back on.
absl::StatusOr<GenerationDefaults> ParseGenerationDefaults(const std::string& json);

}  // namespace baton::frontend
