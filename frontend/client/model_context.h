// A served model, as far as a frontend needs it: how to turn text into tokens and back, its chat
// template, its defaults and limits. Made from a model card; no weights.
//
// Threading: immutable once published; shared by all requests that use it.
// Ownership: shared; a request keeps the context it began with, whatever is published later.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/kv/block_hash.h"
#include "common/text/tokenizer/tokenizer.h"
#include "frontend/chat/chat_template.h"
#include "frontend/client/generation_defaults.h"
#include "frontend/tools/reasoning_format.h"
#include "frontend/tools/tool_format.h"

namespace baton::frontend {

struct ModelContext {
  std::string routed_name;                // what routers and workers call it
  std::vector<std::string> served_names;  // what clients may call it; the first is the default
  std::string card_digest;
  uint64_t model_digest = 0;
  uint32_t max_model_len = 0;
  uint32_t vocab_size = 0;
  uint32_t block_size = 64;
  int64_t created = 0;  // Unix seconds

  std::unique_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<const ChatTemplate> chat_template;  // the default one; null: there is none
  // The others by name: "tool_use", "rag".
  std::map<std::string, ChatTemplate, std::less<>> named_templates;
  std::optional<ContentFormat> content_format;  // the operator's, instead of what templates want
  std::string default_template_kwargs_json;     // an object, or empty
  std::string tokenizer_config_json;            // for those who ask; an object
  // How the model writes tool calls and reasoning; null: not known, or not at all.
  const ToolFormat* tool_format = nullptr;
  const ReasoningFormat* reasoning_format = nullptr;
  bool reasoning_is_certain = false;   // named by the operator, and not recognised
  std::vector<TokenId> markup_tokens;  // special tokens that are part of that markup
  GenerationDefaults defaults;
  std::optional<TokenId> eos_id;
  std::vector<std::pair<std::string, std::string>> special_tokens;  // as templates name them
  std::vector<std::string> special_texts;                           // how all of them are spelled
  size_t token_bytes_max = 0;                                       // no token adds more to a text

  // The template that transformers would take: that for tools where there are tools and it exists.
  // Null if the model has none, or several and no default.
  const ChatTemplate* TemplateFor(bool has_tools) const {
    const auto tool_use = named_templates.find("tool_use");
    return has_tools && tool_use != named_templates.end() ? &tool_use->second : chat_template.get();
  }

  // Hashes of the prompt's full blocks, for routing.
  std::vector<BlockHash> HashPrompt(std::span<const TokenId> prompt,
                                    std::string_view cache_salt) const {
    const BlockHash root = BlockChainRoot(
        {.model_digest = model_digest, .block_size = block_size, .cache_salt = cache_salt});
    return HashBlocks(root, prompt, block_size);
  }
};

}  // namespace baton::frontend
