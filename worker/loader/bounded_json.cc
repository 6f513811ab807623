#include "worker/loader/bounded_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::worker {
namespace {

using nlohmann::json;

// Watches a parse: what it refuses is dropped while parsing, so that hostile text cannot grow.
class ParseGuard {
 public:
  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (depth > kJsonDepthMax) {
      too_deep_ = true;
      return false;
    }
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.empty()) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second && duplicate_.empty()) duplicate_ = key;
    }
    return true;
  }

  absl::Status Verdict(std::string_view source) const {
    if (too_deep_) {
      return InvalidArgument(
          absl::StrCat("read ", ToAbsl(source), ": nested deeper than ", kJsonDepthMax));
    }
    if (!duplicate_.empty()) {
      return InvalidArgument(
          absl::StrCat("read ", ToAbsl(source), ": key=", duplicate_, " appears twice"));
    }
    return absl::OkStatus();
  }

 private:
  bool too_deep_ = false;
  std::string duplicate_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

absl::StatusOr<json> ParseJsonObject(std::string_view text, std::string_view source) {
  if (text.size() > kJsonBytesMax) {
    return InvalidArgument(absl::StrCat("read ", ToAbsl(source), ": ", text.size(),
                                        " bytes of JSON, at most ", kJsonBytesMax));
  }
  ParseGuard guard;
  json root = json::parse(text.begin(), text.end(), std::ref(guard), /*allow_exceptions=*/false);
  RETURN_IF_ERROR(guard.Verdict(source));
  if (root.is_discarded()) {
    return InvalidArgument(absl::StrCat("read ", ToAbsl(source), ": malformed JSON"));
  }
  if (!root.is_object()) {
    return InvalidArgument(
        absl::StrCat("read ", ToAbsl(source), ": got ", root.type_name(), "/object"));
  }
  return root;
}

JsonConfig::JsonConfig(std::shared_ptr<const json> root, const json* object, std::string source)
    : root_(std::move(root)), object_(object), source_(std::move(source)) {}

absl::StatusOr<JsonConfig> JsonConfig::Parse(std::string_view text, std::string source) {
  ASSIGN_OR_RETURN(json parsed, ParseJsonObject(text, source));
  auto root = std::make_shared<const json>(std::move(parsed));
  const json* object = root.get();
  return JsonConfig(std::move(root), object, std::move(source));
}

JsonConfig JsonConfig::Empty(std::string source) {
  auto root = std::make_shared<const json>(json::object());
  const json* object = root.get();
  return JsonConfig(std::move(root), object, std::move(source));
}

JsonConfig JsonConfig::WithDefaults(std::string_view defaults) const {
  json merged = json::parse(defaults.begin(), defaults.end(), nullptr, /*allow_exceptions=*/false);
  BATON_CHECK(merged.is_object()) << "json: defaults are no object";
  for (const auto& [key, value] : object_->items()) merged[key] = value;
  auto root = std::make_shared<const json>(std::move(merged));
  const json* object = root.get();
  return JsonConfig(std::move(root), object, source_);
}

const json* JsonConfig::Find(std::string_view key) const {
  const auto at = object_->find(std::string(key));
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

std::vector<std::string> JsonConfig::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object_->items()) keys.push_back(key);
  return keys;
}

absl::Status JsonConfig::Missing(std::string_view key) const {
  return NotFound(absl::StrCat("read ", source_, ": key=", ToAbsl(key), " is missing"));
}

absl::Status JsonConfig::WrongType(std::string_view key, std::string_view expected) const {
  return InvalidArgument(absl::StrCat("read ", source_, ": key=", ToAbsl(key), " is ",
                                      Find(key)->type_name(), "/", ToAbsl(expected)));
}

absl::StatusOr<int64_t> JsonConfig::GetInt(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return Missing(key);
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{INT64_MAX});
  if (!fits) return WrongType(key, "integer");
  return value->get<int64_t>();
}

absl::StatusOr<int64_t> JsonConfig::GetIntOr(std::string_view key, int64_t fallback) const {
  if (!Has(key)) return fallback;
  return GetInt(key);
}

absl::StatusOr<double> JsonConfig::GetFloat(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return Missing(key);
  if (!value->is_number()) return WrongType(key, "number");
  return value->get<double>();
}

absl::StatusOr<double> JsonConfig::GetFloatOr(std::string_view key, double fallback) const {
  if (!Has(key)) return fallback;
  return GetFloat(key);
}

absl::StatusOr<bool> JsonConfig::GetBoolOr(std::string_view key, bool fallback) const {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return WrongType(key, "boolean");
  return value->get<bool>();
}

absl::StatusOr<std::string> JsonConfig::GetString(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return Missing(key);
  if (!value->is_string()) return WrongType(key, "string");
  return value->get<std::string>();
}

absl::StatusOr<std::string> JsonConfig::GetStringOr(std::string_view key,
                                                    std::string_view fallback) const {
  if (!Has(key)) return std::string(fallback);
  return GetString(key);
}

absl::StatusOr<std::vector<int64_t>> JsonConfig::GetInts(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::vector<int64_t>();
  if (!value->is_array()) {
    ASSIGN_OR_RETURN(const int64_t one, GetInt(key));
    return std::vector<int64_t>{one};
  }
  std::vector<int64_t> numbers;
  for (const json& element : *value) {
    if (!element.is_number_integer()) return WrongType(key, "integers");
    numbers.push_back(element.get<int64_t>());
  }
  return numbers;
}

absl::StatusOr<std::vector<double>> JsonConfig::GetFloats(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::vector<double>();
  if (!value->is_array()) return WrongType(key, "array");
  std::vector<double> numbers;
  for (const json& element : *value) {
    if (!element.is_number()) return WrongType(key, "numbers");
    numbers.push_back(element.get<double>());
  }
  return numbers;
}

absl::StatusOr<std::vector<std::string>> JsonConfig::GetStrings(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::vector<std::string>();
  if (!value->is_array()) return WrongType(key, "array");
  std::vector<std::string> texts;
  for (const json& element : *value) {
    if (!element.is_string()) return WrongType(key, "strings");
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

absl::StatusOr<std::optional<JsonConfig>> JsonConfig::GetObject(std::string_view key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::optional<JsonConfig>();
  if (!value->is_object()) return WrongType(key, "object");
  return std::optional<JsonConfig>(
      JsonConfig(root_, value, absl::StrCat(source_, " ", ToAbsl(key))));
}

}  // namespace baton::worker
