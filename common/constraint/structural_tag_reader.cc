#include "common/constraint/structural_tag_reader.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton {
namespace {

using tag::Format;
using tag::Kind;
using FormatOr = absl::StatusOr<Format>;

constexpr size_t kJsonBytesMax = size_t{256} << 10;
constexpr int32_t kRepetitionMax = 1000;

absl::Status Bad(const std::string& path, std::string_view message) {
  return InvalidArgument(absl::StrCat(path, ": ", ToAbsl(message)));
}

// One object of the document, by its path.
class Node {
 public:
  Node(const OrderedJson& json, std::string path) : json_(json), path_(std::move(path)) {}

  const OrderedJson& json() const { return json_; }
  const std::string& path() const { return path_; }
  std::string PathOf(std::string_view key) const { return absl::StrCat(path_, ".", ToAbsl(key)); }

  // Null if absent or null.
  const OrderedJson* Find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  absl::StatusOr<const OrderedJson*> Get(const char* key) const {
    const OrderedJson* value = Find(key);
    if (value == nullptr) return Bad(PathOf(key), "is missing");
    return value;
  }

  absl::StatusOr<std::string> Text(const char* key) const {
    ASSIGN_OR_RETURN(const OrderedJson* value, Get(key));
    if (!value->is_string()) return Bad(PathOf(key), "must be a string");
    return value->get<std::string>();
  }

  absl::StatusOr<bool> Flag(const char* key) const {
    const OrderedJson* value = Find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return Bad(PathOf(key), "must be a boolean");
    return value->get<bool>();
  }

  absl::StatusOr<int32_t> Count(const char* key, int32_t least) const {
    ASSIGN_OR_RETURN(const OrderedJson* value, Get(key));
    if (!value->is_number_integer() || *value < least || *value > kRepetitionMax) {
      return Bad(PathOf(key), absl::StrCat("must be from ", least, " to ", kRepetitionMax));
    }
    return value->get<int32_t>();
  }

  absl::StatusOr<std::vector<std::string>> Texts(const char* key) const {
    std::vector<std::string> texts;
    const OrderedJson* value = Find(key);
    if (value == nullptr) return texts;
    if (!value->is_array()) return Bad(PathOf(key), "must be a list of strings");
    for (const OrderedJson& item : *value) {
      if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
        return Bad(PathOf(key), "must be a list of strings that are not empty");
      }
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }

  // What this dialect has and we have not.
  absl::Status Without(std::initializer_list<const char*> keys) const {
    for (const char* key : keys) {
      const OrderedJson* value = Find(key);
      const bool neutral = value == nullptr || (value->is_boolean() && !value->get<bool>()) ||
                           (value->is_array() && value->empty());
      if (!neutral) return Bad(PathOf(key), "is not supported");
    }
    return absl::OkStatus();
  }

 private:
  const OrderedJson& json_;
  const std::string path_;
};

FormatOr ReadFormat(const OrderedJson& json, const std::string& path);

absl::StatusOr<std::vector<Format>> ReadFormats(const Node& node, const char* key) {
  ASSIGN_OR_RETURN(const OrderedJson* list, node.Get(key));
  if (!list->is_array() || list->empty()) {
    return Bad(node.PathOf(key), "must be a list that is not empty");
  }
  std::vector<Format> formats;
  for (size_t i = 0; i < list->size(); ++i) {
    ASSIGN_OR_RETURN(Format format,
                     ReadFormat((*list)[i], absl::StrCat(node.PathOf(key), "[", i, "]")));
    formats.push_back(std::move(format));
  }
  return formats;
}

FormatOr ReadToken(const OrderedJson& token, const std::string& path) {
  if (token.is_string()) return tag::Token(token.get<std::string>());
  if (token.is_number_unsigned())
    return tag::Token(absl::StrCat("<[", token.get<uint64_t>(), "]>"));
  return Bad(path, "must be a token's name or id");
}

// A begin or an end: text, or a token format.
FormatOr ReadMarker(const OrderedJson& marker, const std::string& path) {
  if (marker.is_string()) return tag::Text(marker.get<std::string>());
  ASSIGN_OR_RETURN(Format format, ReadFormat(marker, path));
  if (format.kind == Kind::kToken || format.kind == Kind::kText) return format;
  return Bad(path, "must be a string or a token");
}

FormatOr ReadSchema(const Node& node) {
  RETURN_IF_ERROR(node.Without({"any_order", "excludes", "max_whitespace_cnt"}));
  const OrderedJson* style = node.Find("style");
  if (style != nullptr && *style != "json") return Bad(node.PathOf("style"), "is not supported");
  ASSIGN_OR_RETURN(const OrderedJson* schema, node.Get("json_schema"));
  return tag::JsonSchema(SerializeJson(*schema));
}

FormatOr ReadAnyText(const Node& node) {
  RETURN_IF_ERROR(node.Without({"max_tokens", "max_chars"}));
  ASSIGN_OR_RETURN(std::vector<std::string> excludes, node.Texts("excludes"));
  return tag::AnyText(std::move(excludes));
}

FormatOr ReadRepeat(const Node& node, std::string_view type) {
  ASSIGN_OR_RETURN(const OrderedJson* content, node.Get("content"));
  ASSIGN_OR_RETURN(Format part, ReadFormat(*content, node.PathOf("content")));
  if (type == "optional") return tag::Optional(std::move(part));
  if (type == "star") return tag::Star(std::move(part));
  if (type == "plus") return tag::Plus(std::move(part));
  ASSIGN_OR_RETURN(const int32_t min_count, node.Count("min", 0));
  ASSIGN_OR_RETURN(const int32_t max_count, node.Count("max", tag::kUnbounded));
  if (max_count != tag::kUnbounded && max_count < min_count) {
    return Bad(node.PathOf("max"), "is less than min");
  }
  return tag::Repeat(std::move(part), min_count, max_count);
}

FormatOr ReadTag(const Node& node) {
  Format format{.kind = Kind::kTag};
  ASSIGN_OR_RETURN(const OrderedJson* begin, node.Get("begin"));
  ASSIGN_OR_RETURN(format.parts.emplace_back(), ReadMarker(*begin, node.PathOf("begin")));
  ASSIGN_OR_RETURN(const OrderedJson* content, node.Get("content"));
  ASSIGN_OR_RETURN(format.parts.emplace_back(), ReadFormat(*content, node.PathOf("content")));
  ASSIGN_OR_RETURN(const OrderedJson* end, node.Get("end"));
  if (!end->is_array()) {
    ASSIGN_OR_RETURN(format.parts.emplace_back(), ReadMarker(*end, node.PathOf("end")));
    return format;
  }
  for (const OrderedJson& one : *end) {
    ASSIGN_OR_RETURN(format.parts.emplace_back(), ReadMarker(one, node.PathOf("end")));
  }
  if (end->empty()) return Bad(node.PathOf("end"), "is an empty list");
  return format;
}

absl::Status ReadTags(const Node& node, Format& format) {
  ASSIGN_OR_RETURN(format.parts, ReadFormats(node, "tags"));
  for (size_t i = 0; i < format.parts.size(); ++i) {
    if (format.parts[i].kind == Kind::kTag) continue;
    return Bad(absl::StrCat(node.PathOf("tags"), "[", i, "]"), "must be a tag");
  }
  ASSIGN_OR_RETURN(format.at_least_one, node.Flag("at_least_one"));
  ASSIGN_OR_RETURN(format.stop_after_first, node.Flag("stop_after_first"));
  return absl::OkStatus();
}

FormatOr ReadTriggeredTags(const Node& node, bool tokens) {
  Format format{.kind = Kind::kTriggeredTags};
  RETURN_IF_ERROR(ReadTags(node, format));
  if (tokens) {
    RETURN_IF_ERROR(node.Without({"exclude_tokens"}));
    ASSIGN_OR_RETURN(const OrderedJson* triggers, node.Get("trigger_tokens"));
    const std::string path = node.PathOf("trigger_tokens");
    if (!triggers->is_array()) return Bad(path, "must be a list");
    for (const OrderedJson& trigger : *triggers) {
      ASSIGN_OR_RETURN(format.triggers.emplace_back(), ReadToken(trigger, path));
    }
  } else {
    ASSIGN_OR_RETURN(format.excludes, node.Texts("excludes"));
    ASSIGN_OR_RETURN(const std::vector<std::string> triggers, node.Texts("triggers"));
    for (const std::string& trigger : triggers) format.triggers.push_back(tag::Text(trigger));
  }
  if (format.triggers.empty()) return Bad(node.path(), "has no triggers");
  return format;
}

FormatOr ReadTagsWithSeparator(const Node& node) {
  Format format{.kind = Kind::kTagsWithSeparator};
  RETURN_IF_ERROR(ReadTags(node, format));
  ASSIGN_OR_RETURN(format.text, node.Text("separator"));
  return format;
}

// Of a format that is one text: its constructor and the key.
FormatOr ReadText(const Node& node, const char* key, Format (*make)(std::string)) {
  ASSIGN_OR_RETURN(std::string text, node.Text(key));
  return make(std::move(text));
}

FormatOr ReadFormat(const OrderedJson& json, const std::string& path) {
  if (!json.is_object()) return Bad(path, "must be an object");
  const Node node(json, path);
  ASSIGN_OR_RETURN(const std::string type, node.Text("type"));
  if (type == "const_string") return ReadText(node, "value", tag::Text);
  if (type == "regex") return ReadText(node, "pattern", tag::Regex);
  if (type == "grammar") return ReadText(node, "grammar", tag::Grammar);
  if (type == "json_schema") return ReadSchema(node);
  if (type == "any_text") return ReadAnyText(node);
  if (type == "tag") return ReadTag(node);
  if (type == "triggered_tags") return ReadTriggeredTags(node, /*tokens=*/false);
  if (type == "token_triggered_tags") return ReadTriggeredTags(node, /*tokens=*/true);
  if (type == "tags_with_separator") return ReadTagsWithSeparator(node);
  if (type == "optional" || type == "star" || type == "plus" || type == "repeat") {
    return ReadRepeat(node, type);
  }
  if (type == "token") {
    ASSIGN_OR_RETURN(const OrderedJson* token, node.Get("token"));
    return ReadToken(*token, node.PathOf("token"));
  }
  if (type == "sequence" || type == "or") {
    ASSIGN_OR_RETURN(std::vector<Format> elements, ReadFormats(node, "elements"));
    return type == "or" ? tag::Or(std::move(elements)) : tag::Sequence(std::move(elements));
  }
  return Bad(node.PathOf("type"), absl::StrCat("'", type, "' is not supported"));
}

// The older form is one of triggered tags.
FormatOr ReadStructures(const Node& node) {
  Format format{.kind = Kind::kTriggeredTags};
  ASSIGN_OR_RETURN(const OrderedJson* structures, node.Get("structures"));
  if (!structures->is_array() || structures->empty()) {
    return Bad("structures", "must be a list that is not empty");
  }
  for (size_t i = 0; i < structures->size(); ++i) {
    const std::string path = absl::StrCat("structures[", i, "]");
    if (!(*structures)[i].is_object()) return Bad(path, "must be an object");
    const Node item((*structures)[i], path);
    ASSIGN_OR_RETURN(std::string begin, item.Text("begin"));
    ASSIGN_OR_RETURN(std::string end, item.Text("end"));
    ASSIGN_OR_RETURN(const OrderedJson* schema, item.Get("schema"));
    format.parts.push_back(tag::Tag(
        tag::Text(std::move(begin)),
        tag::JsonSchema(schema->is_string() ? schema->get<std::string>() : SerializeJson(*schema)),
        tag::Text(std::move(end))));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> triggers, node.Texts("triggers"));
  if (triggers.empty()) return Bad("triggers", "is missing or empty");
  for (const std::string& trigger : triggers) format.triggers.push_back(tag::Text(trigger));
  return format;
}

}  // namespace

absl::StatusOr<Format> ReadStructuralTag(std::string_view json) {
  ASSIGN_OR_RETURN(const OrderedJson root,
                   ParseOrderedJson(json, {.depth_max = 128, .bytes_max = kJsonBytesMax}));
  if (!root.is_object()) return InvalidArgument("must be an object");
  const Node node(root, "");
  if (node.Find("structures") != nullptr) return ReadStructures(node);
  const OrderedJson* format = node.Find("format");
  if (format == nullptr) return InvalidArgument("has neither 'format' nor 'structures'");
  return ReadFormat(*format, "format");
}

}  // namespace baton
