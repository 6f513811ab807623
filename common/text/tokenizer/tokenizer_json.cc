// Tokenizer::FromJson: reads Hugging Face's tokenizer.json.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/tokenizer/tokenizer_source.h"

namespace baton {
namespace {

using nlohmann::json;

// Ids beyond this are a damaged file, not a vocabulary.
constexpr int64_t kIdMax = 1 << 24;

std::string_view Text(const json& value) { return value.get_ref<const std::string&>(); }

absl::Status Malformed(std::string_view what) {
  return InvalidArgument("load tokenizer: tokenizer.json: " + std::string(what));
}

absl::Status ReadVocabulary(const json& model, TokenizerSource& source) {
  const auto vocab = model.find("vocab");
  if (vocab == model.end() || !vocab->is_object()) return Malformed("model.vocab is not an object");
  for (const auto& [token, id] : vocab->items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > kIdMax) {
      return Malformed("model.vocab[\"" + token + "\"] is not a token id");
    }
    const auto index = id.get<size_t>();
    if (index >= source.tokens.size()) source.tokens.resize(index + 1);
    if (!source.tokens[index].empty()) {
      return Malformed(absl::StrCat("model.vocab has two tokens with id ", index));
    }
    source.tokens[index] = token;
  }
  return absl::OkStatus();
}

// A pair is an array of two strings, or one string with a space between.
absl::StatusOr<TokenizerSource::Merge> ReadMerge(const json& item, size_t index) {
  if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
    return TokenizerSource::Merge(Text(item[0]), Text(item[1]));
  }
  if (item.is_string()) {
    const std::string_view pair = Text(item);
    const size_t space = pair.find(' ');
    if (space != std::string_view::npos && pair.find(' ', space + 1) == std::string_view::npos) {
      return TokenizerSource::Merge(pair.substr(0, space), pair.substr(space + 1));
    }
  }
  return Malformed(absl::StrCat("model.merges[", index, "] is not a pair"));
}

absl::Status ReadMerges(const json& model, TokenizerSource& source) {
  const auto merges = model.find("merges");
  if (merges == model.end() || !merges->is_array()) {
    return Malformed("model.merges is not an array");
  }
  source.merges.reserve(merges->size());
  for (const json& item : *merges) {
    if (item.is_string() && Text(item).substr(0, 8) == "#version") continue;
    ASSIGN_OR_RETURN(TokenizerSource::Merge merge, ReadMerge(item, source.merges.size()));
    source.merges.push_back(merge);
  }
  return absl::OkStatus();
}

absl::Status ReadModel(const json& document, const ComponentConfig& root, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const ComponentConfig model, root.Object("model"));
  // Old files leave the type out; their BPE models have merges.
  if (model.Has("type") || !model.Has("merges")) {
    ASSIGN_OR_RETURN(const std::string type, model.Type());
    if (type != "BPE") return model.Unsupported("unknown type " + type + ", known: BPE");
  }
  ASSIGN_OR_RETURN(source.ignore_merges, model.BoolOr("ignore_merges", false));
  ASSIGN_OR_RETURN(source.fuse_unk, model.BoolOr("fuse_unk", false));
  ASSIGN_OR_RETURN(const bool byte_fallback, model.BoolOr("byte_fallback", false));
  if (byte_fallback) return model.Unsupported("byte_fallback=true");
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    ASSIGN_OR_RETURN(const std::string affix, model.StringOr(key, ""));
    if (!affix.empty()) return model.Unsupported(std::string(key) + "=\"" + affix + "\"");
  }
  const json& fields = document["model"];
  if (const auto dropout = fields.find("dropout");
      dropout != fields.end() && dropout->is_number() && dropout->get<double>() != 0.0) {
    return model.Unsupported("dropout above 0");
  }
  if (model.Has("unk_token")) {
    RETURN_IF_ERROR(model.String("unk_token").status());
    source.model_unk = Text(fields["unk_token"]);
  }
  RETURN_IF_ERROR(ReadVocabulary(fields, source));
  return ReadMerges(fields, source);
}

absl::Status ReadAddedTokens(const ComponentConfig& root, TokenizerSource& source) {
  if (!root.Has("added_tokens")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<ComponentConfig> items, root.List("added_tokens"));
  for (const ComponentConfig& item : items) {
    AddedToken token;
    ASSIGN_OR_RETURN(const int64_t id, item.Int("id"));
    if (id < 0 || id > kIdMax) return item.Invalid("id out of range");
    token.id = static_cast<TokenId>(id);
    ASSIGN_OR_RETURN(token.content, item.String("content"));
    ASSIGN_OR_RETURN(token.special, item.BoolOr("special", false));
    ASSIGN_OR_RETURN(token.single_word, item.BoolOr("single_word", false));
    ASSIGN_OR_RETURN(token.lstrip, item.BoolOr("lstrip", false));
    ASSIGN_OR_RETURN(token.rstrip, item.BoolOr("rstrip", false));
    ASSIGN_OR_RETURN(token.normalized, item.BoolOr("normalized", !token.special));
    if (!token.content.empty()) source.added.push_back(std::move(token));
  }
  return absl::OkStatus();
}

// The id of a token that tokenizer_config.json names.
std::optional<TokenId> Role(const std::optional<std::string>& text, const TokenTable& texts) {
  const TokenId id = text ? texts.Find(*text) : kNoToken;
  if (id == kNoToken) return std::nullopt;
  return id;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromJson(
    std::string_view tokenizer_json, const TokenizerConfig& config) {
  const json document = json::parse(tokenizer_json, nullptr, false);
  if (!document.is_object()) return Malformed("not a JSON object");
  const ComponentConfig root(document, "tokenizer.json");
  TokenizerSource source;
  RETURN_IF_ERROR(ReadModel(document, root, source));
  RETURN_IF_ERROR(ReadAddedTokens(root, source));
  ASSIGN_OR_RETURN(source.components, MakeComponents(root));
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  parts.bos_id = Role(config.bos_token, parts.texts);
  parts.eos_id = Role(config.eos_token, parts.texts);
  parts.unk_id = Role(config.unk_token, parts.texts);
  parts.pad_id = Role(config.pad_token, parts.texts);
  for (const auto& [name, text, id] : {std::tuple("bos_token", &config.bos_token, &parts.bos_id),
                                       std::tuple("eos_token", &config.eos_token, &parts.eos_id)}) {
    if (*text && !*id) {
      return InvalidArgument(absl::StrCat("load tokenizer: tokenizer_config.json: ", name, " \"",
                                          **text, "\" is outside the vocabulary"));
    }
  }
  if (parts.eos_id) parts.stop_ids.push_back(*parts.eos_id);
  return std::make_unique<const Tokenizer>(std::move(parts));
}

}  // namespace baton
