// Tokenizer::FromJson: reads Hugging Face's tokenizer.json.
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
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

std::string_view Text(const json& value) { return value.get_ref<const std::string&>(); }

absl::Status Malformed(std::string_view what) {
  return InvalidArgument("load tokenizer: tokenizer.json: " + std::string(what));
}

absl::Status ReadVocabulary(const json& fields, TokenModelSource& model) {
  const auto vocab = fields.find("vocab");
  if (vocab == fields.end() || !vocab->is_object()) {
    return Malformed("model.vocab is not an object");
  }
  const uint64_t id_end = TokenIdEnd(vocab->size());
  for (const auto& [token, id] : vocab->items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= id_end) {
      return Malformed("model.vocab[\"" + token + "\"] is not a token id");
    }
    const auto index = id.get<size_t>();
    if (index >= model.tokens.size()) model.tokens.resize(index + 1);
    if (!model.tokens[index].empty()) {
      return Malformed(absl::StrCat("model.vocab has two tokens with id ", index));
    }
    model.tokens[index] = token;
  }
  return absl::OkStatus();
}

// A pair is an array of two strings, or one string with a space between.
absl::StatusOr<TokenModelSource::Merge> ReadMerge(const json& item, size_t index) {
  if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
    return TokenModelSource::Merge(Text(item[0]), Text(item[1]));
  }
  if (item.is_string()) {
    const std::string_view pair = Text(item);
    const size_t space = pair.find(' ');
    if (space != std::string_view::npos && pair.find(' ', space + 1) == std::string_view::npos) {
      return TokenModelSource::Merge(pair.substr(0, space), pair.substr(space + 1));
    }
  }
  return Malformed(absl::StrCat("model.merges[", index, "] is not a pair"));
}

absl::Status ReadMerges(const json& fields, TokenModelSource& model) {
  const auto merges = fields.find("merges");
  if (merges == fields.end() || !merges->is_array()) {
    return Malformed("model.merges is not an array");
  }
  model.merges.reserve(merges->size());
  for (const json& item : *merges) {
    if (item.is_string() && Text(item).substr(0, 8) == "#version") continue;
    ASSIGN_OR_RETURN(TokenModelSource::Merge merge, ReadMerge(item, model.merges.size()));
    model.merges.push_back(merge);
  }
  return absl::OkStatus();
}

// The dropout of training is ignored.
absl::Status ReadBpe(const ComponentConfig& config, const json& fields, TokenModelSource& model) {
  ASSIGN_OR_RETURN(model.ignore_merges, config.BoolOr("ignore_merges", false));
  ASSIGN_OR_RETURN(model.fuse_unk, config.BoolOr("fuse_unk", false));
  ASSIGN_OR_RETURN(model.byte_fallback, config.BoolOr("byte_fallback", false));
  ASSIGN_OR_RETURN(model.continuing_prefix, config.StringOr("continuing_subword_prefix", ""));
  ASSIGN_OR_RETURN(model.end_suffix, config.StringOr("end_of_word_suffix", ""));
  RETURN_IF_ERROR(ReadVocabulary(fields, model));
  return ReadMerges(fields, model);
}

absl::Status ReadWordPiece(const ComponentConfig& config, const json& fields,
                           TokenModelSource& model) {
  ASSIGN_OR_RETURN(model.continuing_prefix, config.StringOr("continuing_subword_prefix", "##"));
  ASSIGN_OR_RETURN(const int64_t chars_max, config.IntOr("max_input_chars_per_word", 100));
  if (chars_max < 0) return config.Invalid("max_input_chars_per_word is below 0");
  model.word_chars_max = static_cast<uint64_t>(chars_max);
  if (!model.unk) model.unk = "[UNK]";
  return ReadVocabulary(fields, model);
}

absl::Status ReadUnigram(const ComponentConfig& config, const json& fields,
                         TokenModelSource& model) {
  ASSIGN_OR_RETURN(model.byte_fallback, config.BoolOr("byte_fallback", false));
  const auto vocab = fields.find("vocab");
  if (vocab == fields.end() || !vocab->is_array()) return Malformed("model.vocab is not an array");
  for (const json& item : *vocab) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number()) {
      return Malformed(
          absl::StrCat("model.vocab[", model.tokens.size(), "] is not a token and its score"));
    }
    model.tokens.push_back(Text(item[0]));
    model.scores.push_back(item[1].get<double>());
  }
  if (!config.Has("unk_id")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t unk_id, config.Int("unk_id"));
  if (unk_id < 0 || static_cast<size_t>(unk_id) >= model.tokens.size()) {
    return config.Invalid("unk_id is outside the vocabulary");
  }
  model.unk_id = static_cast<TokenId>(unk_id);
  return absl::OkStatus();
}

// Old files leave the type out.
absl::StatusOr<std::string> ModelType(const ComponentConfig& config, const json& fields) {
  if (config.Has("type")) return config.Type();
  if (config.Has("merges")) return "BPE";
  if (fields.contains("vocab") && fields["vocab"].is_array()) return "Unigram";
  const bool affixed =
      config.Has("continuing_subword_prefix") || config.Has("max_input_chars_per_word");
  return affixed ? "WordPiece" : "WordLevel";
}

absl::Status ReadModel(const json& document, const ComponentConfig& root, TokenModelSource& model) {
  using Kind = TokenModelSource::Kind;
  ASSIGN_OR_RETURN(const ComponentConfig config, root.Object("model"));
  const json& fields = document["model"];
  ASSIGN_OR_RETURN(const std::string type, ModelType(config, fields));
  if (config.Has("unk_token")) {
    RETURN_IF_ERROR(config.String("unk_token").status());
    model.unk = Text(fields["unk_token"]);
  }
  if (type == "BPE") {
    model.kind = Kind::kBpe;
    return ReadBpe(config, fields, model);
  }
  if (type == "Unigram") {
    model.kind = Kind::kUnigram;
    return ReadUnigram(config, fields, model);
  }
  if (type == "WordPiece") {
    model.kind = Kind::kWordPiece;
    return ReadWordPiece(config, fields, model);
  }
  if (type == "WordLevel") {
    model.kind = Kind::kWordLevel;
    if (!model.unk) model.unk = "<unk>";
    return ReadVocabulary(fields, model);
  }
  return config.Unsupported("unknown type " + type + ", known: BPE, Unigram, WordLevel, WordPiece");
}

absl::Status ReadAddedTokens(const ComponentConfig& root, TokenizerSource& source) {
  if (!root.Has("added_tokens")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<ComponentConfig> items, root.List("added_tokens"));
  for (const ComponentConfig& item : items) {
    AddedToken token;
    ASSIGN_OR_RETURN(const int64_t id, item.Int("id"));
    if (id < 0 || id > UINT32_MAX) return item.Invalid("id out of range");
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

// What tokenizer_config.json says of added tokens counts more. It makes special what it gives a
// role, and tokens of the vocabulary that it calls special; for what no file numbers the model has
// no embedding.
void AddFromConfig(const TokenizerConfig& config, TokenizerSource& source) {
  source.added.insert(source.added.end(), config.added_tokens.begin(), config.added_tokens.end());
  std::unordered_map<std::string_view, AddedToken*> added;
  for (AddedToken& token : source.added) added[token.content] = &token;
  for (const AddedToken& role : config.role_tokens) {
    if (const auto token = added.find(role.content); token != added.end()) {
      token->second->special = true;
    }
  }
  std::unordered_map<std::string_view, const AddedToken*> missing;
  for (const auto* tokens : {&config.role_tokens, &config.extra_special_tokens}) {
    for (const AddedToken& token : *tokens) {
      if (!added.contains(token.content)) missing.emplace(token.content, &token);
    }
  }
  if (missing.empty()) return;
  for (const std::string_view text : source.model.tokens) {
    const auto token = missing.find(text);
    if (token != missing.end()) source.added.push_back(*token->second);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromJson(
    std::string_view tokenizer_json, const TokenizerConfig& config) {
  const json document = json::parse(tokenizer_json, nullptr, false);
  if (!document.is_object()) return Malformed("not a JSON object");
  const ComponentConfig root(document, "tokenizer.json");
  TokenizerSource source;
  RETURN_IF_ERROR(ReadModel(document, root, source.model));
  RETURN_IF_ERROR(ReadAddedTokens(root, source));
  AddFromConfig(config, source);
  source.added_count_from = document["model"]["vocab"].size();
  ASSIGN_OR_RETURN(source.components, MakeComponents(root));
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  RETURN_IF_ERROR(ApplyRoles(config, parts));
  return std::make_unique<const Tokenizer>(std::move(parts));
}

}  // namespace baton
