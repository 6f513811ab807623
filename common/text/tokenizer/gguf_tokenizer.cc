// Tokenizer::FromGguf: reads the tokenizer.ggml.* keys.
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/gguf_pre_tokenizers.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/tokenizer/tokenizer_source.h"

namespace baton {
namespace {

// Values of tokenizer.ggml.token_type that are not ordinary tokens.
constexpr int64_t kTypeControl = 3;
constexpr int64_t kTypeUserDefined = 4;

absl::Status Malformed(const GgufMetadata& metadata, std::string_view what) {
  return InvalidArgument(
      absl::StrCat("load tokenizer: file=", metadata.source(), ": ", ToAbsl(what)));
}

absl::Status ReadVocabulary(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const GgufStringArray tokens, metadata.GetStrings("tokenizer.ggml.tokens"));
  source.model.tokens.assign(tokens.begin(), tokens.end());
  if (!metadata.Has("tokenizer.ggml.token_type")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<int64_t> types, metadata.GetInts("tokenizer.ggml.token_type"));
  if (types.size() != source.model.tokens.size()) {
    return Malformed(metadata, absl::StrCat("tokenizer.ggml.token_type has ", types.size(),
                                            " entries, expected ", source.model.tokens.size()));
  }
  for (TokenId id = 0; id < types.size(); ++id) {
    const bool special = types[id] == kTypeControl;
    if ((!special && types[id] != kTypeUserDefined) || source.model.tokens[id].empty()) continue;
    source.added.push_back(
        {.id = id, .content = std::string(source.model.tokens[id]), .special = special});
  }
  return absl::OkStatus();
}

absl::Status ReadMerges(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const GgufStringArray merges, metadata.GetStrings("tokenizer.ggml.merges"));
  source.model.merges.reserve(merges.size());
  for (const std::string_view pair : merges) {
    // The left part is never empty, and no part has a space: byte-level letters print.
    const size_t space = pair.find(' ', 1);
    if (space == std::string_view::npos) {
      return Malformed(metadata, absl::StrCat("tokenizer.ggml.merges[", source.model.merges.size(),
                                              "] is not a pair"));
    }
    source.model.merges.emplace_back(pair.substr(0, space), pair.substr(space + 1));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TokenId>> ReadId(const GgufMetadata& metadata, std::string_view key,
                                              size_t vocab_size) {
  if (!metadata.Has(key)) return std::nullopt;
  ASSIGN_OR_RETURN(const uint64_t id, metadata.GetUint(key));
  // Some writers mark an absent role by a number out of range.
  if (id >= vocab_size) return std::nullopt;
  return static_cast<TokenId>(id);
}

absl::Status ReadRoles(const GgufMetadata& metadata, TokenizerSource& source) {
  const size_t size = source.model.tokens.size();
  ASSIGN_OR_RETURN(source.bos_id, ReadId(metadata, "tokenizer.ggml.bos_token_id", size));
  ASSIGN_OR_RETURN(source.eos_id, ReadId(metadata, "tokenizer.ggml.eos_token_id", size));
  ASSIGN_OR_RETURN(source.unk_id, ReadId(metadata, "tokenizer.ggml.unknown_token_id", size));
  ASSIGN_OR_RETURN(source.pad_id, ReadId(metadata, "tokenizer.ggml.padding_token_id", size));
  for (const std::string_view key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                     "tokenizer.ggml.eom_token_id"}) {
    ASSIGN_OR_RETURN(const std::optional<TokenId> id, ReadId(metadata, key, size));
    if (id) source.stop_ids.push_back(*id);
  }
  return absl::OkStatus();
}

absl::Status ReadFrame(const GgufMetadata& metadata, bool add_bos_default,
                       TokenizerSource& source) {
  ASSIGN_OR_RETURN(const bool add_bos,
                   metadata.GetBoolOr("tokenizer.ggml.add_bos_token", add_bos_default));
  ASSIGN_OR_RETURN(const bool add_eos, metadata.GetBoolOr("tokenizer.ggml.add_eos_token", false));
  if (add_bos && source.bos_id) source.frame.before.push_back(*source.bos_id);
  if (add_eos && source.eos_id) source.frame.after.push_back(*source.eos_id);
  return absl::OkStatus();
}

// The components that a row of the table writes as JSON, with the ByteLevel decoder.
absl::StatusOr<TokenizerComponents> MakeComponentsOf(const GgufPreTokenizer& row) {
  nlohmann::json document;
  document["pre_tokenizer"] = nlohmann::json::parse(row.pre_tokenizer, nullptr, false);
  document["normalizer"] = nlohmann::json::parse(row.normalizer, nullptr, false);
  document["decoder"]["type"] = "ByteLevel";
  return MakeComponents(ComponentConfig(document, absl::StrCat("pre=", ToAbsl(row.names))));
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromGguf(const GgufMetadata& metadata) {
  ASSIGN_OR_RETURN(const std::string_view model, metadata.GetString("tokenizer.ggml.model"));
  if (model != "gpt2") {
    return Unimplemented(absl::StrCat("load tokenizer: file=", metadata.source(),
                                      " tokenizer.ggml.model=", ToAbsl(model), ", known: gpt2"));
  }
  ASSIGN_OR_RETURN(const std::string_view pre,
                   metadata.GetStringOr("tokenizer.ggml.pre", "default"));
  const GgufPreTokenizer* row = FindGgufPreTokenizer(pre);
  if (row == nullptr) {
    return Unimplemented(absl::StrCat("load tokenizer: file=", metadata.source(),
                                      " tokenizer.ggml.pre=", ToAbsl(pre),
                                      ", known: ", KnownGgufPreTokenizers()));
  }
  TokenizerSource source;
  source.model.ignore_merges = row->ignore_merges;
  RETURN_IF_ERROR(ReadVocabulary(metadata, source));
  RETURN_IF_ERROR(ReadMerges(metadata, source));
  RETURN_IF_ERROR(ReadRoles(metadata, source));
  RETURN_IF_ERROR(ReadFrame(metadata, row->add_bos, source));
  ASSIGN_OR_RETURN(source.components, MakeComponentsOf(*row));
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  return std::make_unique<const Tokenizer>(std::move(parts));
}

}  // namespace baton
