// Tokenizer::FromGguf: reads the tokenizer.ggml.* keys.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/gguf_pre_tokenizers.h"
#include "common/text/tokenizer/sentence_piece_source.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/tokenizer/tokenizer_source.h"
#include "common/text/tokenizer/word_mark.h"

namespace baton {
namespace {

// Values of tokenizer.ggml.token_type that are not ordinary tokens.
constexpr int64_t kTypeControl = 3;
constexpr int64_t kTypeUserDefined = 4;

absl::Status Malformed(const GgufMetadata& metadata, std::string_view what) {
  return InvalidArgument(
      absl::StrCat("load tokenizer: file=", metadata.source(), ": ", ToAbsl(what)));
}

absl::StatusOr<std::vector<std::string_view>> ReadTokens(const GgufMetadata& metadata) {
  ASSIGN_OR_RETURN(const GgufStringArray tokens, metadata.GetStrings("tokenizer.ggml.tokens"));
  return std::vector<std::string_view>(tokens.begin(), tokens.end());
}

// One for each token; all ordinary when the file does not say.
absl::StatusOr<std::vector<int64_t>> ReadTypes(const GgufMetadata& metadata, size_t token_count) {
  if (!metadata.Has("tokenizer.ggml.token_type")) return std::vector<int64_t>(token_count, 1);
  ASSIGN_OR_RETURN(std::vector<int64_t> types, metadata.GetInts("tokenizer.ggml.token_type"));
  if (types.size() == token_count) return types;
  return Malformed(metadata, absl::StrCat("tokenizer.ggml.token_type has ", types.size(),
                                          " entries, expected ", token_count));
}

absl::Status ReadVocabulary(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(source.model.tokens, ReadTokens(metadata));
  const std::vector<std::string_view>& tokens = source.model.tokens;
  ASSIGN_OR_RETURN(const std::vector<int64_t> types, ReadTypes(metadata, tokens.size()));
  for (TokenId id = 0; id < types.size(); ++id) {
    const bool special = types[id] == kTypeControl;
    if ((!special && types[id] != kTypeUserDefined) || tokens[id].empty()) continue;
    source.added.push_back({.id = id, .content = std::string(tokens[id]), .special = special});
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

// "gpt2": byte-pair encoding of bytes, cut as tokenizer.ggml.pre names it.
absl::Status ReadByteLevel(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const std::string_view pre,
                   metadata.GetStringOr("tokenizer.ggml.pre", "default"));
  const GgufPreTokenizer* row = FindGgufPreTokenizer(pre);
  if (row == nullptr) {
    return Unimplemented(absl::StrCat("load tokenizer: file=", metadata.source(),
                                      " tokenizer.ggml.pre=", ToAbsl(pre),
                                      ", known: ", KnownGgufPreTokenizers()));
  }
  source.model.ignore_merges = row->ignore_merges;
  RETURN_IF_ERROR(ReadVocabulary(metadata, source));
  RETURN_IF_ERROR(ReadMerges(metadata, source));
  RETURN_IF_ERROR(ReadRoles(metadata, source));
  RETURN_IF_ERROR(ReadFrame(metadata, row->add_bos, source));
  ASSIGN_OR_RETURN(source.components, MakeComponentsOf(*row));
  return absl::OkStatus();
}

// "llama" and "t5": a sentencepiece model.
absl::Status ReadSentencePiece(const GgufMetadata& metadata, bool unigram,
                               TokenizerSource& source) {
  SentencePieceSource model;
  using Model = SentencePieceSource::Model;
  model.as_llama_cpp = true;
  model.model = unigram ? Model::kUnigram : Model::kBpe;
  ASSIGN_OR_RETURN(const std::vector<std::string_view> tokens, ReadTokens(metadata));
  ASSIGN_OR_RETURN(const std::vector<int64_t> types, ReadTypes(metadata, tokens.size()));
  ASSIGN_OR_RETURN(const std::vector<double> scores, metadata.GetFloats("tokenizer.ggml.scores"));
  if (scores.size() != tokens.size()) {
    return Malformed(metadata, absl::StrCat("tokenizer.ggml.scores has ", scores.size(),
                                            " entries, expected ", tokens.size()));
  }
  for (size_t id = 0; id < tokens.size(); ++id) {
    const bool known = types[id] >= 1 && types[id] <= 6;
    model.entries.push_back({tokens[id], static_cast<float>(scores[id]),
                             known ? static_cast<SentencePieceSource::Type>(types[id])
                                   : SentencePieceSource::Type::kUnused});
  }
  ASSIGN_OR_RETURN(model.add_dummy_prefix,
                   metadata.GetBoolOr("tokenizer.ggml.add_space_prefix", true));
  ASSIGN_OR_RETURN(model.remove_extra_spaces,
                   metadata.GetBoolOr("tokenizer.ggml.remove_extra_whitespaces", false));
  std::string charsmap;
  if (metadata.Has("tokenizer.ggml.precompiled_charsmap")) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> bytes,
                     metadata.GetInts("tokenizer.ggml.precompiled_charsmap"));
    for (const int64_t byte : bytes) charsmap.push_back(static_cast<char>(byte));
    model.charsmap = charsmap;
  }
  ASSIGN_OR_RETURN(model.unk_id,
                   ReadId(metadata, "tokenizer.ggml.unknown_token_id", tokens.size()));
  RETURN_IF_ERROR(FillFromSentencePiece(model, source));
  RETURN_IF_ERROR(ReadRoles(metadata, source));
  return ReadFrame(metadata, !unigram, source);
}

// "bert": WordPiece. The file marks the tokens that start words and not those that go on with them;
// the other way round, they are the original's.
absl::Status ReadWordPiece(const GgufMetadata& metadata, TokenizerSource& source) {
  RETURN_IF_ERROR(ReadVocabulary(metadata, source));
  std::vector<bool> added(source.model.tokens.size());
  for (const AddedToken& token : source.added) added[token.id] = true;
  for (TokenId id = 0; id < source.model.tokens.size(); ++id) {
    std::string_view& token = source.model.tokens[id];
    if (added[id] || token.empty()) continue;
    const bool bracketed = token.front() == '[' && token.back() == ']' && token.size() > 2;
    if (token.starts_with(kWordMark)) {
      token.remove_prefix(kWordMark.size());
    } else if (!bracketed) {
      token = source.owned.emplace_back("##" + std::string(token));
    }
  }
  source.model.kind = TokenModelSource::Kind::kWordPiece;
  source.model.continuing_prefix = "##";
  RETURN_IF_ERROR(ReadRoles(metadata, source));
  source.model.unk_id = source.unk_id;
  const nlohmann::json document = {{"normalizer", {{"type", "BertNormalizer"}}},
                                   {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                                   {"decoder", {{"type", "WordPiece"}}}};
  ASSIGN_OR_RETURN(source.components, MakeComponents(ComponentConfig(document, "bert")));
  const size_t size = source.model.tokens.size();
  ASSIGN_OR_RETURN(const auto cls, ReadId(metadata, "tokenizer.ggml.cls_token_id", size));
  ASSIGN_OR_RETURN(const auto sep, ReadId(metadata, "tokenizer.ggml.seperator_token_id", size));
  if (cls) source.frame.before.push_back(*cls);
  if (sep) source.frame.after.push_back(*sep);
  return absl::OkStatus();
}

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

// What ends a turn is markup, whatever the file says: no user may spell it.
void MakeEndsSpecial(TokenizerSource& source) {
  constexpr std::string_view kEnds[] = {"</s>",          "<|eot_id|>",     "<|eom_id|>",
                                        "<|im_end|>",    "<|end|>",        "<|endoftext|>",
                                        "<end_of_turn>", "<|end_of_text|>"};
  for (AddedToken& token : source.added) {
    if (std::find(std::begin(kEnds), std::end(kEnds), token.content) == std::end(kEnds)) continue;
    token.special = true;
  }
}

// Which added tokens take the blanks beside them along is nowhere in the file: llama.cpp tells by
// what the model is called, and so do we.
absl::Status SetStripFlags(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const std::string_view name, metadata.GetStringOr("general.name", ""));
  ASSIGN_OR_RETURN(const std::string_view architecture,
                   metadata.GetStringOr("general.architecture", ""));
  ASSIGN_OR_RETURN(const std::string_view pre, metadata.GetStringOr("tokenizer.ggml.pre", ""));
  const std::string lower_name = absl::AsciiStrToLower(ToAbsl(name));
  const auto strip_left = [&source](std::string_view content) {
    for (AddedToken& token : source.added) token.lstrip |= token.content == content;
  };
  if (ContainsAny(pre, {"jina-v2-de", "jina-v2-es", "jina-v2-code"}) ||
      ContainsAny(architecture, {"nomic-bert-moe", "jina-bert-v3"})) {
    strip_left("<mask>");
  } else if (ContainsAny(lower_name, {"phi-3", "phi3"})) {
    for (AddedToken& token : source.added) {
      token.rstrip =
          token.content != "<unk>" && token.content != "<s>" && token.content != "<|endoftext|>";
    }
  } else if (ContainsAny(lower_name, {"modern-bert"})) {
    strip_left("[MASK]");
  }
  return absl::OkStatus();
}

absl::Status ReadModel(const GgufMetadata& metadata, TokenizerSource& source) {
  ASSIGN_OR_RETURN(const std::string_view model, metadata.GetString("tokenizer.ggml.model"));
  if (model == "gpt2") return ReadByteLevel(metadata, source);
  if (model == "llama") return ReadSentencePiece(metadata, false, source);
  if (model == "t5") return ReadSentencePiece(metadata, true, source);
  if (model == "bert") return ReadWordPiece(metadata, source);
  return Unimplemented(absl::StrCat("load tokenizer: file=", metadata.source(),
                                    " tokenizer.ggml.model=", ToAbsl(model),
                                    ", known: bert gpt2 llama t5"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromGguf(const GgufMetadata& metadata) {
  TokenizerSource source;
  RETURN_IF_ERROR(ReadModel(metadata, source));
  MakeEndsSpecial(source);
  RETURN_IF_ERROR(SetStripFlags(metadata, source));
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  return std::make_unique<const Tokenizer>(std::move(parts));
}

}  // namespace baton
