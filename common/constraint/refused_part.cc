#include "common/constraint/refused_part.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton {
namespace {

constexpr int kTriesMax = 200;
constexpr size_t kBytesMax = size_t{256} << 10;  // of all schemas tried: large ones take long
constexpr char kWhole[] = "#/$defs/document";

std::string EscapedStep(std::string_view name) {
  return absl::StrReplaceAll(ToAbsl(name), {{"~", "~0"}, {"/", "~1"}});
}

// For the fragment of a reference.
std::string PercentEncoded(std::string_view path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        std::string_view("-._~/$").find(c) != std::string_view::npos) {
      text.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return text;
}

// Whether references may be relative to something else than the root.
bool HasIdentities(const OrderedJson& value) {
  if (value.is_object()) {
    for (const char* key : {"$id", "id", "$anchor", "$dynamicAnchor"}) {
      if (value.contains(key) && value[key].is_string()) return true;
    }
  }
  if (!value.is_structured()) return false;
  for (const OrderedJson& part : value) {
    if (HasIdentities(part)) return true;
  }
  return false;
}

// Whether nlohmann takes it for a pointer: it throws at others.
bool IsPointer(std::string_view path) {
  constexpr size_t kIndexDigitsMax = 9;
  for (size_t at = path.find('~'); at != path.npos; at = path.find('~', at + 1)) {
    if (at + 1 == path.size() || (path[at + 1] != '0' && path[at + 1] != '1')) return false;
  }
  for (const absl::string_view step : absl::StrSplit(ToAbsl(path), '/')) {
    const bool is_index = std::all_of(step.begin(), step.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
    if (is_index && step.size() > kIndexDigitsMax) return false;
  }
  return true;
}

// The document moves from the root to kWhole.
void MoveReferences(OrderedJson& value) {
  if (!value.is_structured()) return;
  for (auto& [key, part] : value.items()) {
    if (key == "$ref" && part.is_string()) {
      const std::string reference = part.get<std::string>();
      if (reference.starts_with("#")) part = absl::StrCat(kWhole, reference.substr(1));
    } else {
      MoveReferences(part);
    }
  }
}

class PartSearch {
 public:
  PartSearch(const OrderedJson& schema, std::string_view message, const EngineMessage& message_for)
      : message_(message), message_for_(message_for) {
    if (schema.is_object() && schema.contains("$schema")) probe_["$schema"] = schema["$schema"];
    probe_["$defs"]["document"] = schema;
    MoveReferences(probe_["$defs"]["document"]);
  }

  // The path in the original document.
  std::string Run() {
    if (!IsRefused("")) return "#";
    std::string path;
    while (const std::optional<std::string> part = RefusedPartOf(path)) path = *part;
    return absl::StrCat("#", path, KeywordOf(path));
  }

 private:
  OrderedJson& At(const std::string& path) {
    return probe_.at(OrderedJson::json_pointer(absl::StrCat("/$defs/document", path)));
  }

  // No longer known once the search has taken as long as it may.
  bool IsRefused(const std::string& path) {
    if (spent_) return false;
    probe_["$ref"] = absl::StrCat(kWhole, PercentEncoded(path));
    const std::string schema = SerializeJson(probe_);
    spent_ = --tries_left_ < 0 || bytes_left_ < schema.size();
    if (spent_) return false;
    bytes_left_ -= schema.size();
    return message_for_(schema) == message_;
  }

  std::optional<std::string> RefusedPartOf(const std::string& path) {
    for (const std::string& part : PartsOf(path)) {
      if (visited_.insert(part).second && IsRefused(part)) return part;
    }
    return std::nullopt;
  }

  // The schemas within one and those that it refers to.
  std::vector<std::string> PartsOf(const std::string& path) {
    std::vector<std::string> parts;
    const OrderedJson& schema = At(path);
    for (const auto& [key, value] : schema.items()) {
      const std::string at = absl::StrCat(path, "/", key);
      const bool is_map = key == "properties" || key == "patternProperties";
      const bool is_list = key == "allOf" || key == "anyOf" || key == "oneOf" ||
                           key == "prefixItems" || key == "items";
      const bool is_schema =
          key == "items" || key == "additionalProperties" || key == "additionalItems";
      if ((is_map && value.is_object()) || (is_list && value.is_array())) {
        for (const auto& [name, part] : value.items()) {
          if (part.is_object()) parts.push_back(absl::StrCat(at, "/", EscapedStep(name)));
        }
      } else if (is_schema && value.is_object()) {
        parts.push_back(at);
      } else if (key == "$ref" && value.is_string()) {
        AddTarget(value.get<std::string>(), parts);
      }
    }
    // One that refers back to what is around it is refused like that: others first.
    std::stable_partition(parts.begin(), parts.end(),
                          [this](const std::string& part) { return !At(part).contains("$ref"); });
    return parts;
  }

  void AddTarget(std::string_view reference, std::vector<std::string>& parts) {
    if (!reference.starts_with(kWhole) || reference.find('%') != reference.npos) return;
    const std::string path(reference.substr(std::string_view(kWhole).size()));
    if ((!path.empty() && path[0] != '/') || !IsPointer(path)) return;
    const OrderedJson::json_pointer pointer(absl::StrCat("/$defs/document", path));
    if (probe_.contains(pointer) && probe_.at(pointer).is_object()) parts.push_back(path);
  }

  // The keyword without which the engine has nothing to say; best the longest that its message
  // names.
  std::string KeywordOf(const std::string& path) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : At(path).items()) keys.push_back(key);
    const std::string named = absl::StrReplaceAll(
        ToAbsl(message_), {{"min/maxProperties", "minProperties or maxProperties"}});
    std::string found;
    size_t named_length = 0;
    for (const std::string& key : keys) {
      if (spent_) break;
      if (key == "$defs" || key == "definitions" || key == "$schema") continue;
      OrderedJson whole = At(path);
      At(path).erase(key);
      const bool decides = !IsRefused(path) && !spent_;
      At(path) = std::move(whole);
      if (!decides) continue;
      const size_t length = named.find(key) == named.npos ? 0 : key.size();
      if (!found.empty() && length <= named_length) continue;
      found = absl::StrCat("/", EscapedStep(key));
      named_length = length;
    }
    return found;
  }

  const std::string_view message_;
  const EngineMessage& message_for_;
  OrderedJson probe_ = OrderedJson::object();
  std::set<std::string> visited_;
  int tries_left_ = kTriesMax;
  size_t bytes_left_ = kBytesMax;
  bool spent_ = false;  // either of them
};

}  // namespace

std::string FindRefusedPart(std::string_view schema, std::string_view message,
                            const EngineMessage& message_for) {
  const absl::StatusOr<OrderedJson> root = ParseOrderedJson(schema);
  if (!root.ok() || !root->is_object() || HasIdentities(*root)) return "#";
  return PartSearch(*root, message, message_for).Run();
}

}  // namespace baton
