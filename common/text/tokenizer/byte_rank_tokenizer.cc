// Tokenizer::FromTiktoken and FromTekken: vocabularies of byte strings in the order in which they
// merge, with an expression that cuts text and special tokens besides.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/tokenizer/byte_alphabet.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/tokenizer/tokenizer_source.h"

namespace baton {
namespace {

using nlohmann::json;

constexpr uint64_t kRankEnd = uint64_t{1} << 20;

// Expressions that the code beside a tiktoken file has.
constexpr std::string_view kCl100kRegex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwenRegex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kKimiRegex =
    R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// What Mistral's files leave out when they are old.
constexpr std::string_view kTekkenSpecials[] = {"<unk>",
                                                "<s>",
                                                "</s>",
                                                "[INST]",
                                                "[/INST]",
                                                "[AVAILABLE_TOOLS]",
                                                "[/AVAILABLE_TOOLS]",
                                                "[TOOL_RESULTS]",
                                                "[/TOOL_RESULTS]",
                                                "[TOOL_CALLS]",
                                                "[IMG]",
                                                "<pad>",
                                                "[IMG_BREAK]",
                                                "[IMG_END]",
                                                "[PREFIX]",
                                                "[MIDDLE]",
                                                "[SUFFIX]",
                                                "[SYSTEM_PROMPT]",
                                                "[/SYSTEM_PROMPT]",
                                                "[TOOL_CONTENT]"};

// Takes the ranked tokens into a source: `first_id` is the id of rank 0.
class ByteRanks {
 public:
  explicit ByteRanks(TokenizerSource& source, TokenId first_id)
      : source_(source), first_id_(first_id) {
    source_.model.products.emplace();
  }

  absl::Status Add(uint64_t rank, std::string_view base64) {
    std::string bytes;
    if (rank >= kRankEnd || !absl::Base64Unescape(ToAbsl(base64), &bytes) || bytes.empty()) {
      return InvalidArgument(absl::StrCat("load tokenizer: token of rank ", rank,
                                          " is not base64, or the rank too high"));
    }
    const TokenId id = first_id_ + static_cast<TokenId>(rank);
    if (id >= source_.model.tokens.size()) source_.model.tokens.resize(id + 1);
    if (!source_.model.tokens[id].empty()) {
      return InvalidArgument(absl::StrCat("load tokenizer: two tokens of rank ", rank));
    }
    std::string& letters = source_.owned.emplace_back();
    AppendLetters(bytes, letters);
    source_.model.tokens[id] = letters;
    return absl::OkStatus();
  }

  // Everything merges in order of rank, and a whole piece that is a token needs no merges.
  absl::Status Finish(std::string_view regex) {
    source_.model.products->resize(source_.model.tokens.size());
    std::iota(source_.model.products->begin(), source_.model.products->end(), 0);
    source_.model.ignore_merges = true;
    const json split = {{"type", "Split"},
                        {"pattern", {{"Regex", regex}}},
                        {"behavior", "Removed"},
                        {"invert", true}};
    const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
    const json document = {
        {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
        {"decoder", {{"type", "ByteLevel"}}}};
    ASSIGN_OR_RETURN(source_.components, MakeComponents(ComponentConfig(document, "tiktoken")));
    return absl::OkStatus();
  }

 private:
  TokenizerSource& source_;
  const TokenId first_id_;
};

std::string_view TiktokenRegex(const TokenizerConfig& config, size_t token_count) {
  if (config.tokenizer_class == "QWenTokenizer") return kQwenRegex;
  if (config.tokenizer_class == "TikTokenTokenizer") return kKimiRegex;
  constexpr size_t kO200kTokensMin = 190'000;
  return token_count >= kO200kTokensMin ? kO200kRegex : kCl100kRegex;
}

// The first Qwen's special tokens stand in its code.
std::vector<AddedToken> QwenTokens(TokenId first) {
  std::vector<AddedToken> tokens;
  const auto add = [&](std::string content) {
    AddedToken token;
    token.id = first++;
    token.content = std::move(content);
    token.special = true;
    tokens.push_back(std::move(token));
  };
  for (const char* content : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) add(content);
  for (int i = 0; i < 205; ++i) add(absl::StrCat("<|extra_", i, "|>"));
  return tokens;
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> Finish(TokenizerSource source,
                                                        const TokenizerConfig& config,
                                                        bool add_bos) {
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  RETURN_IF_ERROR(ApplyRoles(config, parts));
  if (parts.bos_id && config.add_bos_token.value_or(add_bos)) {
    parts.frame.before.push_back(*parts.bos_id);
  }
  if (parts.eos_id && config.add_eos_token.value_or(false)) {
    parts.frame.after.push_back(*parts.eos_id);
  }
  return std::make_unique<const Tokenizer>(std::move(parts));
}

absl::Status TekkenMalformed(std::string_view what) {
  return InvalidArgument("load tokenizer: tekken.json: " + std::string(what));
}

// A number of an object, up to the limit of ranks.
absl::StatusOr<uint64_t> Count(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_unsigned() || it->get<uint64_t>() >= kRankEnd) {
    return TekkenMalformed(std::string(key) + " is missing or no count");
  }
  return it->get<uint64_t>();
}

absl::StatusOr<std::string> Text(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) {
    return TekkenMalformed(std::string(key) + " is missing or no string");
  }
  return it->get_ref<const std::string&>();
}

absl::Status AddTekkenSpecials(const json& document, uint64_t count, TokenizerSource& source) {
  std::vector<std::string> contents(count);
  for (uint64_t i = 0; i < count; ++i) contents[i] = absl::StrCat("<SPECIAL_", i, ">");
  const auto listed = document.find("special_tokens");
  if (listed == document.end() || listed->is_null()) {
    for (size_t i = 0; i < std::size(kTekkenSpecials) && i < count; ++i) {
      contents[i] = kTekkenSpecials[i];
    }
  } else {
    if (!listed->is_array()) return TekkenMalformed("special_tokens is no list");
    for (const json& item : *listed) {
      if (!item.is_object())
        return TekkenMalformed("special_tokens has a member that is no object");
      ASSIGN_OR_RETURN(const uint64_t rank, Count(item, "rank"));
      if (rank >= count) return TekkenMalformed("a special token beyond their number");
      ASSIGN_OR_RETURN(contents[rank], Text(item, "token_str"));
    }
  }
  for (TokenId id = 0; id < count; ++id) {
    AddedToken token;
    token.id = id;
    token.content = std::move(contents[id]);
    token.special = true;
    source.added.push_back(std::move(token));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromTiktoken(
    std::string_view ranks, const TokenizerConfig& config) {
  TokenizerSource source;
  ByteRanks tokens(source, 0);
  for (size_t line_number = 1; !ranks.empty(); ++line_number) {
    const size_t end = std::min(ranks.find('\n'), ranks.size());
    std::string_view line = ranks.substr(0, end);
    ranks.remove_prefix(std::min(end + 1, ranks.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const size_t space = std::min(line.find(' '), line.size());
    uint64_t rank = 0;
    if (!absl::SimpleAtoi(ToAbsl(line.substr(std::min(space + 1, line.size()))), &rank)) {
      return InvalidArgument(
          absl::StrCat("load tokenizer: tiktoken line ", line_number, " is no token and rank"));
    }
    RETURN_IF_ERROR(tokens.Add(rank, line.substr(0, space)));
  }
  const size_t count = source.model.tokens.size();
  if (count == 0) return InvalidArgument("load tokenizer: tiktoken file without tokens");
  RETURN_IF_ERROR(tokens.Finish(TiktokenRegex(config, count)));
  source.added = config.added_tokens;
  if (source.added.empty() && config.tokenizer_class == "QWenTokenizer") {
    source.added = QwenTokens(static_cast<TokenId>(count));
  }
  return ::baton::Finish(std::move(source), config, false);
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromTekken(
    std::string_view tekken_json, const TokenizerConfig& config) {
  const json document = json::parse(tekken_json, nullptr, false);
  if (!document.is_object()) return TekkenMalformed("not a JSON object");
  const auto settings = document.find("config");
  const auto vocab = document.find("vocab");
  if (settings == document.end() || !settings->is_object() || vocab == document.end() ||
      !vocab->is_array()) {
    return TekkenMalformed("config or vocab is missing");
  }
  ASSIGN_OR_RETURN(const uint64_t size, Count(*settings, "default_vocab_size"));
  ASSIGN_OR_RETURN(const uint64_t specials, Count(*settings, "default_num_special_tokens"));
  ASSIGN_OR_RETURN(const std::string regex, Text(*settings, "pattern"));
  if (size < specials || size - specials > vocab->size()) {
    return TekkenMalformed("default_vocab_size does not fit the vocabulary");
  }
  TokenizerSource source;
  ByteRanks tokens(source, static_cast<TokenId>(specials));
  for (uint64_t i = 0; i < size - specials; ++i) {
    const json& item = (*vocab)[i];
    if (!item.is_object()) return TekkenMalformed("vocab has a member that is no object");
    ASSIGN_OR_RETURN(const uint64_t rank, Count(item, "rank"));
    ASSIGN_OR_RETURN(const std::string bytes, Text(item, "token_bytes"));
    if (rank >= size - specials) return TekkenMalformed("a rank beyond default_vocab_size");
    RETURN_IF_ERROR(tokens.Add(rank, bytes));
  }
  RETURN_IF_ERROR(tokens.Finish(regex));
  RETURN_IF_ERROR(AddTekkenSpecials(document, specials, source));
  TokenizerConfig roles = config;
  if (!roles.bos_token && specials > 1) roles.bos_token = "<s>";
  if (!roles.eos_token && specials > 2) roles.eos_token = "</s>";
  return ::baton::Finish(std::move(source), roles, true);
}

}  // namespace baton
