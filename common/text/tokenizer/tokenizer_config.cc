#include "common/text/tokenizer/tokenizer_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

absl::Status WrongType(std::string_view key) {
  return InvalidArgument("load tokenizer_config.json: " + std::string(key) +
                         " has an unexpected type");
}

absl::StatusOr<std::optional<bool>> BoolMember(const nlohmann::json& document,
                                               std::string_view key) {
  const auto it = document.find(key);
  if (it == document.end() || it->is_null()) return std::nullopt;
  if (!it->is_boolean()) return WrongType(key);
  return it->get<bool>();
}

// From an object with its content and flags.
absl::StatusOr<AddedToken> ReadToken(const nlohmann::json& item, std::string_view key) {
  const auto content = item.find("content");
  if (content == item.end() || !content->is_string()) return WrongType(key);
  AddedToken token;
  token.content = content->get_ref<const std::string&>();
  for (const auto& [name, flag] :
       {std::pair("special", &token.special), std::pair("single_word", &token.single_word),
        std::pair("lstrip", &token.lstrip), std::pair("rstrip", &token.rstrip),
        std::pair("normalized", &token.normalized)}) {
    ASSIGN_OR_RETURN(const std::optional<bool> value, BoolMember(item, name));
    *flag = value.value_or(flag == &token.normalized && !token.special);
  }
  return token;
}

// A special token: a string, or an object.
absl::StatusOr<AddedToken> ReadSpecialToken(const nlohmann::json& value, std::string_view key) {
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get_ref<const std::string&>();
  } else if (value.is_object()) {
    ASSIGN_OR_RETURN(token, ReadToken(value, key));
  } else {
    return WrongType(key);
  }
  token.special = true;
  return token;
}

absl::StatusOr<std::optional<std::string>> TokenMember(const nlohmann::json& document,
                                                       std::string_view key) {
  const auto it = document.find(key);
  if (it == document.end() || it->is_null()) return std::nullopt;
  ASSIGN_OR_RETURN(AddedToken token, ReadSpecialToken(*it, key));
  return std::move(token.content);
}

// One template, or a list of named ones.
absl::Status ReadTemplates(const nlohmann::json& document, TokenizerConfig& config) {
  constexpr std::string_view kKey = "chat_template";
  const auto it = document.find(kKey);
  if (it == document.end() || it->is_null()) return absl::OkStatus();
  if (it->is_string()) {
    config.chat_templates.emplace("default", it->get_ref<const std::string&>());
    return absl::OkStatus();
  }
  if (!it->is_array()) return WrongType(kKey);
  for (const nlohmann::json& item : *it) {
    if (!item.is_object() || !item.contains("name") || !item["name"].is_string() ||
        !item.contains("template") || !item["template"].is_string()) {
      return WrongType(kKey);
    }
    config.chat_templates.insert_or_assign(item["name"].get_ref<const std::string&>(),
                                           item["template"].get_ref<const std::string&>());
  }
  return absl::OkStatus();
}

// Every token with a role, also a role of the file's own making ("image_token").
absl::Status ReadRoleTokens(const nlohmann::json& document, TokenizerConfig& config) {
  for (const auto& [key, value] : document.items()) {
    const bool named = value.is_string() || (value.is_object() && value.contains("content"));
    if (!named || !std::string_view(key).ends_with("_token")) continue;
    ASSIGN_OR_RETURN(AddedToken token, ReadSpecialToken(value, key));
    config.role_tokens.push_back(std::move(token));
  }
  return absl::OkStatus();
}

// Lists of tokens, or objects with tokens as values.
absl::Status ReadExtraSpecialTokens(const nlohmann::json& document, TokenizerConfig& config) {
  for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
    const auto it = document.find(key);
    if (it == document.end() || !it->is_structured()) continue;
    for (const nlohmann::json& item : *it) {
      ASSIGN_OR_RETURN(AddedToken token, ReadSpecialToken(item, key));
      config.extra_special_tokens.push_back(std::move(token));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadAddedTokens(const nlohmann::json& document, TokenizerConfig& config) {
  constexpr std::string_view kKey = "added_tokens_decoder";
  const auto it = document.find(kKey);
  if (it == document.end() || it->is_null()) return absl::OkStatus();
  if (!it->is_object()) return WrongType(kKey);
  for (const auto& [id, item] : it->items()) {
    TokenId number = 0;
    if (!absl::SimpleAtoi(id, &number) || !item.is_object()) return WrongType(kKey);
    ASSIGN_OR_RETURN(AddedToken token, ReadToken(item, kKey));
    token.id = number;
    config.added_tokens.push_back(std::move(token));
  }
  std::sort(config.added_tokens.begin(), config.added_tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenizerConfig> ParseTokenizerConfig(std::string_view json) {
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return InvalidArgument("load tokenizer_config.json: not a JSON object");
  }
  TokenizerConfig config;
  ASSIGN_OR_RETURN(config.bos_token, TokenMember(document, "bos_token"));
  ASSIGN_OR_RETURN(config.eos_token, TokenMember(document, "eos_token"));
  ASSIGN_OR_RETURN(config.unk_token, TokenMember(document, "unk_token"));
  ASSIGN_OR_RETURN(config.pad_token, TokenMember(document, "pad_token"));
  ASSIGN_OR_RETURN(config.add_bos_token, BoolMember(document, "add_bos_token"));
  ASSIGN_OR_RETURN(config.add_eos_token, BoolMember(document, "add_eos_token"));
  if (const auto it = document.find("tokenizer_class"); it != document.end() && it->is_string()) {
    config.tokenizer_class = it->get_ref<const std::string&>();
  }
  RETURN_IF_ERROR(ReadRoleTokens(document, config));
  RETURN_IF_ERROR(ReadExtraSpecialTokens(document, config));
  RETURN_IF_ERROR(ReadAddedTokens(document, config));
  RETURN_IF_ERROR(ReadTemplates(document, config));
  return config;
}

}  // namespace baton
