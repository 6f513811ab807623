#include "common/text/tokenizer/tokenizer_source.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/tokenizer_parts.h"

namespace baton {
namespace {

constexpr size_t kTokenBytesMax = 4096;

template <typename Component>
absl::StatusOr<std::unique_ptr<const Component>> MakeOptional(
    const ComponentConfig& document, std::string_view key,
    const ComponentFactories<Component>& factories) {
  if (!document.Has(key)) return nullptr;
  ASSIGN_OR_RETURN(const ComponentConfig config, document.Object(key));
  return factories.Make(config, RegisteredComponents());
}

// Gives added tokens the ids that the reference gives them. Of equal contents the last one counts,
// but once special is special.
std::vector<AddedToken> Numbered(std::vector<AddedToken> added, const TokenTable& model,
                                 size_t vocabulary_size) {
  std::vector<AddedToken> result;
  std::unordered_map<std::string, size_t> known;  // places in the result
  auto next = static_cast<TokenId>(vocabulary_size);
  for (AddedToken& token : added) {
    const auto [place, is_new] = known.try_emplace(token.content, result.size());
    if (!is_new) {
      AddedToken& earlier = result[place->second];
      token.id = earlier.id;
      token.special = token.special || earlier.special;
      earlier = std::move(token);
      continue;
    }
    token.id = model.Find(token.content);
    if (token.id == kNoToken) token.id = next;
    next = std::max(next, token.id + 1);
    result.push_back(std::move(token));
  }
  return result;
}

// All texts by id: those of the model, then those that only added tokens have.
absl::StatusOr<TokenTable> MakeTexts(const TokenizerSource& source, const TokenTable& model) {
  std::vector<std::string_view> texts = source.model.tokens;
  const uint64_t id_end = TokenIdEnd(texts.size() + source.added.size());
  for (const AddedToken& token : source.added) {
    if (token.id >= id_end) {
      return InvalidArgument(absl::StrCat("load tokenizer: added token=", token.content, " id ",
                                          token.id, ", expected below ", id_end));
    }
    const TokenId in_model = model.Find(token.content);
    if (token.id >= texts.size()) texts.resize(token.id + 1);
    std::string_view& text = texts[token.id];
    if ((in_model != kNoToken && in_model != token.id) ||
        (!text.empty() && text != token.content)) {
      return InvalidArgument(absl::StrCat("load tokenizer: added token=", token.content, " id ",
                                          token.id, " clashes with the vocabulary"));
    }
    text = token.content;
  }
  TokenTable table;
  for (const std::string_view text : texts) table.Append(text);
  table.BuildIndex();
  return table;
}

std::unordered_set<std::string> SpecialContents(const std::vector<AddedToken>& added) {
  std::unordered_set<std::string> contents;
  for (const AddedToken& token : added) {
    if (token.special) contents.insert(token.content);
  }
  return contents;
}

// Spells every added token as the reference matches and decodes it: normalized, if it is matched in
// normalized text.
absl::Status NormalizeContents(const Normalizer* normalizer, std::vector<AddedToken>& added) {
  if (normalizer == nullptr) return absl::OkStatus();
  for (AddedToken& token : added) {
    if (!token.normalized || token.spelled_normalized) continue;
    std::string storage;
    ASSIGN_OR_RETURN(const std::string_view text, normalizer->Normalize(token.content, storage));
    if (text == token.content) continue;
    token.content = std::string(text);
    token.renamed = true;
  }
  return absl::OkStatus();
}

// What decoding starts from: the texts, with added tokens as they were matched.
std::vector<std::string> DecodedTexts(const std::vector<AddedToken>& added,
                                      const TokenTable& texts) {
  std::vector<std::string> result(texts.size());
  for (TokenId id = 0; id < texts.size(); ++id) result[id] = texts[id];
  for (const AddedToken& token : added) {
    if (token.renamed) result[token.id] = token.content;
  }
  return result;
}

// Longer strings make matching, and finding what merges into a token, take quadratic time.
absl::Status CheckLengths(const TokenizerSource& source) {
  const auto check = [](std::string_view what, size_t id, size_t bytes) {
    if (bytes <= kTokenBytesMax) return absl::OkStatus();
    return InvalidArgument(absl::StrCat("load tokenizer: ", ToAbsl(what), " ", id, " has ", bytes,
                                        " bytes, expected up to ", kTokenBytesMax));
  };
  const TokenModelSource& model = source.model;
  for (size_t id = 0; id < model.tokens.size(); ++id) {
    RETURN_IF_ERROR(check("token", id, model.tokens[id].size()));
  }
  for (const AddedToken& token : source.added) {
    RETURN_IF_ERROR(check("added token", token.id, token.content.size()));
  }
  const size_t affix = std::max(model.continuing_prefix.size(), model.end_suffix.size());
  return check("prefix or suffix of token", 0, affix);
}

std::vector<bool> ExistenceOf(const TokenTable& texts) {
  std::vector<bool> exists(texts.size());
  for (TokenId id = 0; id < texts.size(); ++id) exists[id] = !texts[id].empty();
  return exists;
}

AddedTokenMatcher MatcherOf(const std::vector<AddedToken>& added, bool normalized) {
  std::vector<AddedToken> result;
  for (const AddedToken& token : added) {
    if (token.normalized == normalized) result.push_back(token);
  }
  return AddedTokenMatcher(std::move(result));
}

absl::StatusOr<SpecialTokenFrame> FrameOf(const TokenizerSource& source, const TokenTable& texts) {
  SpecialTokenFrame frame;
  if (source.components.post_processor) source.components.post_processor->Surround(frame);
  frame.before.insert(frame.before.begin(), source.frame.before.begin(), source.frame.before.end());
  frame.after.insert(frame.after.end(), source.frame.after.begin(), source.frame.after.end());
  for (const std::vector<TokenId>* ids : {&frame.before, &frame.after}) {
    for (const TokenId id : *ids) {
      if (id < texts.size()) continue;
      return InvalidArgument(absl::StrCat("load tokenizer: post_processor: token id ", id,
                                          ", expected below ", texts.size()));
    }
  }
  return frame;
}

}  // namespace

absl::StatusOr<TokenizerComponents> MakeComponents(const ComponentConfig& document) {
  const ComponentRegistry& registry = RegisteredComponents();
  TokenizerComponents parts;
  ASSIGN_OR_RETURN(parts.normalizer, MakeOptional(document, "normalizer", registry.normalizers));
  ASSIGN_OR_RETURN(parts.pre_tokenizer,
                   MakeOptional(document, "pre_tokenizer", registry.pre_tokenizers));
  ASSIGN_OR_RETURN(parts.post_processor,
                   MakeOptional(document, "post_processor", registry.post_processors));
  ASSIGN_OR_RETURN(parts.decoder, MakeOptional(document, "decoder", registry.decoders));
  return parts;
}

absl::StatusOr<TokenizerParts> BuildTokenizer(TokenizerSource source) {
  RETURN_IF_ERROR(CheckLengths(source));
  TokenizerComponents& components = source.components;
  TokenTable model_texts;
  for (const std::string_view token : source.model.tokens) model_texts.Append(token);
  model_texts.BuildIndex();
  if (source.added_count_from) {
    source.added = Numbered(std::move(source.added), model_texts, *source.added_count_from);
  }
  ASSIGN_OR_RETURN(TokenTable texts, MakeTexts(source, model_texts));
  ASSIGN_OR_RETURN(std::unique_ptr<const TokenModel> model,
                   MakeTokenModel(source.model, model_texts, components.pre_tokenizer));
  const std::unordered_set<std::string> special_contents = SpecialContents(source.added);
  RETURN_IF_ERROR(NormalizeContents(components.normalizer.get(), source.added));
  std::vector<bool> special(texts.size(), false);
  // The reference skips what is spelled as a special token, and compares the normalized spelling.
  for (const AddedToken& token : source.added) {
    special[token.id] = special_contents.contains(token.content);
  }
  DetokenizerPlan detokenizer(DecodedTexts(source.added, texts), ExistenceOf(texts),
                              std::move(components.decoder));
  ASSIGN_OR_RETURN(SpecialTokenFrame frame, FrameOf(source, texts));
  return TokenizerParts{
      .texts = std::move(texts),
      .detokenizer = std::move(detokenizer),
      .special = std::move(special),
      .raw_added = MatcherOf(source.added, false),
      .normalizer = std::move(components.normalizer),
      .normalized_added = MatcherOf(source.added, true),
      .pre_tokenizer = std::move(components.pre_tokenizer),
      .model = std::move(model),
      .frame = std::move(frame),
      .bos_id = source.bos_id,
      .eos_id = source.eos_id,
      .unk_id = source.unk_id,
      .pad_id = source.pad_id,
      .stop_ids = std::move(source.stop_ids),
  };
}

absl::Status ApplyRoles(const TokenizerConfig& config, TokenizerParts& parts) {
  struct Role {
    std::string_view name;
    const std::optional<std::string>* text;
    std::optional<TokenId>* id;
    bool needed;
  };
  for (const Role& role : {Role{"bos_token", &config.bos_token, &parts.bos_id, true},
                           Role{"eos_token", &config.eos_token, &parts.eos_id, true},
                           Role{"unk_token", &config.unk_token, &parts.unk_id, false},
                           Role{"pad_token", &config.pad_token, &parts.pad_id, false}}) {
    if (!*role.text) continue;
    const TokenId id = parts.texts.Find(**role.text);
    if (id != kNoToken) {
      *role.id = id;
    } else if (role.needed) {
      return InvalidArgument(
          absl::StrCat("load tokenizer: tokenizer_config.json: ", ToAbsl(role.name), " \"",
                       **role.text, "\" is outside the vocabulary"));
    }
  }
  if (parts.eos_id && std::find(parts.stop_ids.begin(), parts.stop_ids.end(), *parts.eos_id) ==
                          parts.stop_ids.end()) {
    parts.stop_ids.push_back(*parts.eos_id);
  }
  return absl::OkStatus();
}

}  // namespace baton
