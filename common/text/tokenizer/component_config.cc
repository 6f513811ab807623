#include "common/text/tokenizer/component_config.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

constexpr int kDepthMax = 16;

}  // namespace

bool ComponentConfig::IsNull() const { return json_->is_null(); }

bool ComponentConfig::Has(std::string_view key) const { return Find(key) != nullptr; }

const nlohmann::json* ComponentConfig::Find(std::string_view key) const {
  if (!json_->is_object()) return nullptr;
  const auto it = json_->find(key);
  return it == json_->end() || it->is_null() ? nullptr : &*it;
}

absl::Status ComponentConfig::Invalid(std::string_view what) const {
  return InvalidArgument(absl::StrCat("load tokenizer: ", path_, ": ", ToAbsl(what)));
}

absl::Status ComponentConfig::Unsupported(std::string_view what) const {
  return Unimplemented(absl::StrCat("load tokenizer: ", path_, ": ", ToAbsl(what)));
}

absl::Status ComponentConfig::WrongType(std::string_view key, std::string_view expected) const {
  return InvalidArgument(absl::StrCat("load tokenizer: ", path_, ".", ToAbsl(key),
                                      ": missing or not ", ToAbsl(expected)));
}

absl::StatusOr<std::string> ComponentConfig::Type() const { return String("type"); }

absl::StatusOr<bool> ComponentConfig::BoolOr(std::string_view key, bool fallback) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr) return fallback;
  if (!field->is_boolean()) return WrongType(key, "a boolean");
  return field->get<bool>();
}

absl::StatusOr<int64_t> ComponentConfig::Int(std::string_view key) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr || !field->is_number_integer()) return WrongType(key, "an integer");
  return field->get<int64_t>();
}

absl::StatusOr<int64_t> ComponentConfig::IntOr(std::string_view key, int64_t fallback) const {
  return Has(key) ? Int(key) : fallback;
}

absl::StatusOr<std::string> ComponentConfig::Char(std::string_view key) const {
  ASSIGN_OR_RETURN(std::string text, String(key));
  if (text.empty() || DecodeChar(text).length != text.size()) return WrongType(key, "a character");
  return text;
}

absl::StatusOr<int64_t> ComponentConfig::IdOfPair(std::string_view key) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr || !value->is_array() || value->size() != 2 || !(*value)[0].is_string() ||
      !(*value)[1].is_number_unsigned()) {
    return WrongType(key, "a token and its id");
  }
  const auto id = (*value)[1].get<uint64_t>();
  if (id > UINT32_MAX) return WrongType(key, "a token and its id");
  return static_cast<int64_t>(id);
}

absl::StatusOr<std::string> ComponentConfig::String(std::string_view key) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr || !field->is_string()) return WrongType(key, "a string");
  return field->get_ref<const std::string&>();
}

absl::StatusOr<std::string> ComponentConfig::StringOr(std::string_view key,
                                                      std::string_view fallback) const {
  if (!Has(key)) return std::string(fallback);
  return String(key);
}

absl::StatusOr<ComponentConfig> ComponentConfig::Object(std::string_view key) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr || !field->is_object()) return WrongType(key, "an object");
  if (depth_ >= kDepthMax) return Invalid("nested too deeply");
  return ComponentConfig(*field, absl::StrCat(path_, ".", ToAbsl(key)), depth_ + 1);
}

absl::StatusOr<std::vector<ComponentConfig>> ComponentConfig::List(std::string_view key) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr || !field->is_array()) return WrongType(key, "an array");
  if (depth_ >= kDepthMax) return Invalid("nested too deeply");
  std::vector<ComponentConfig> result;
  for (size_t i = 0; i < field->size(); ++i) {
    const std::string path = absl::StrCat(path_, ".", ToAbsl(key), "[", i, "]");
    if (!(*field)[i].is_object()) {
      return InvalidArgument(absl::StrCat("load tokenizer: ", path, ": not an object"));
    }
    result.push_back(ComponentConfig((*field)[i], path, depth_ + 1));
  }
  return result;
}

absl::StatusOr<std::vector<int64_t>> ComponentConfig::Ints(std::string_view key) const {
  const nlohmann::json* field = Find(key);
  if (field == nullptr || !field->is_array()) return WrongType(key, "an array of integers");
  std::vector<int64_t> result;
  for (const nlohmann::json& item : *field) {
    if (!item.is_number_integer()) return WrongType(key, "an array of integers");
    result.push_back(item.get<int64_t>());
  }
  return result;
}

}  // namespace baton
