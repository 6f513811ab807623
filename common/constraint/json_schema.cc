#include "common/constraint/json_schema.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/json_schema_branches.h"
#include "common/constraint/json_schema_rewrite.h"
#include "common/constraint/string_rules.h"
#include "common/json/json.h"

namespace baton {
namespace {

constexpr size_t kReferencesMax = 500;  // definitions; the engine recurses along them
// The engine compares the patterns of property names with each other and with the names.
constexpr size_t kNameComparisonsMax = 10'000;
constexpr size_t kPropertiesMax = 2500;  // of one object: the engine follows all that may come next
constexpr uint64_t kHostnameMax = 253;
constexpr size_t kDepthMax = 96;  // of the document
// Between the tokens of JSON: a space, or one line break and an indent. Unbounded white space would
// let a model go on for ever without saying anything.
constexpr char kWhitespace[] = R"([ ]|\n[ \t]{0,64})";

// What a keyword holds, if the engine enforces it.
enum class Shape : uint8_t {
  kSchema,
  kSchemaList,
  kSchemaMap,
  kSchemaOrList,  // items of older drafts
  kCount,         // a whole number, 0 or more
  kNumber,
  kBound,  // a number, or in draft 4 a flag
  kText,
  kTextList,
  kTypes,
  kValues,
  kAny,
  kReference,
  kFormat,
  kDefinitions,
  kAnnotation,   // kept
  kDropped,      // an annotation that the engine does not know
  kUnsupported,  // cannot be enforced, unless its value says nothing
};

struct Keyword {
  std::string_view name;
  Shape shape;
};

constexpr Keyword kKeywords[] = {
    {"anyOf", Shape::kSchemaList},
    {"oneOf", Shape::kSchemaList},
    {"allOf", Shape::kSchemaList},
    {"$ref", Shape::kReference},
    {"const", Shape::kAny},
    {"enum", Shape::kValues},
    {"type", Shape::kTypes},
    {"items", Shape::kSchemaOrList},
    {"additionalItems", Shape::kSchema},
    {"prefixItems", Shape::kSchemaList},
    {"minItems", Shape::kCount},
    {"maxItems", Shape::kCount},
    {"properties", Shape::kSchemaMap},
    {"additionalProperties", Shape::kSchema},
    {"patternProperties", Shape::kSchemaMap},
    {"required", Shape::kTextList},
    {"minProperties", Shape::kCount},
    {"maxProperties", Shape::kCount},
    {"minLength", Shape::kCount},
    {"maxLength", Shape::kCount},
    {"pattern", Shape::kText},
    {"format", Shape::kFormat},
    {"minimum", Shape::kNumber},
    {"maximum", Shape::kNumber},
    {"exclusiveMinimum", Shape::kBound},
    {"exclusiveMaximum", Shape::kBound},
    {"multipleOf", Shape::kNumber},
    {"$anchor", Shape::kAnnotation},
    {"$defs", Shape::kDefinitions},
    {"definitions", Shape::kDefinitions},
    {"$schema", Shape::kAnnotation},
    {"$id", Shape::kAnnotation},
    {"id", Shape::kAnnotation},
    {"$comment", Shape::kAnnotation},
    {"title", Shape::kAnnotation},
    {"description", Shape::kAnnotation},
    {"default", Shape::kAnnotation},
    {"readOnly", Shape::kAnnotation},
    {"writeOnly", Shape::kAnnotation},
    {"examples", Shape::kAnnotation},
    {"contentMediaType", Shape::kAnnotation},
    {"contentEncoding", Shape::kAnnotation},
    {"contentSchema", Shape::kDropped},
    {"deprecated", Shape::kDropped},
    {"$vocabulary", Shape::kDropped},
    {"$recursiveAnchor", Shape::kDropped},
    {"x-guidance", Shape::kDropped},  // the engine's own options: ours to set
    {"not", Shape::kUnsupported},
    {"if", Shape::kUnsupported},
    {"then", Shape::kUnsupported},
    {"else", Shape::kUnsupported},
    {"contains", Shape::kUnsupported},
    {"minContains", Shape::kUnsupported},
    {"maxContains", Shape::kUnsupported},
    {"uniqueItems", Shape::kUnsupported},
    {"propertyNames", Shape::kUnsupported},
    {"dependencies", Shape::kUnsupported},
    {"dependentRequired", Shape::kUnsupported},
    {"dependentSchemas", Shape::kUnsupported},
    {"unevaluatedItems", Shape::kUnsupported},
    {"unevaluatedProperties", Shape::kUnsupported},
    {"$dynamicRef", Shape::kUnsupported},
    {"$dynamicAnchor", Shape::kUnsupported},
    {"$recursiveRef", Shape::kUnsupported},
    {"disallow", Shape::kUnsupported},
    {"divisibleBy", Shape::kUnsupported},
    {"extends", Shape::kUnsupported},
};

// Absent: no draft of JSON Schema knows it.
std::optional<Shape> ShapeOf(std::string_view key) {
  using Table = absl::flat_hash_map<std::string_view, Shape>;
  static const Table* const table = [] {
    auto* shapes = new Table;
    for (const Keyword& keyword : kKeywords) shapes->emplace(keyword.name, keyword.shape);
    return shapes;
  }();
  const auto found = table->find(key);
  if (found == table->end()) return std::nullopt;
  return found->second;
}

const absl::flat_hash_set<std::string>& Formats() {
  static const auto* const formats = new absl::flat_hash_set<std::string>{
      "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"};
  return *formats;
}

bool IsTypeName(const OrderedJson& value) {
  if (!value.is_string()) return false;
  const std::string& name = value.get_ref<const std::string&>();
  for (const char* known : {"null", "boolean", "integer", "number", "string", "array", "object"}) {
    if (name == known) return true;
  }
  return false;
}

bool IsTextList(const OrderedJson& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const auto& item) { return item.is_string(); });
}

// True, {}: everything is valid.
bool AllowsAll(const OrderedJson& schema) {
  return (schema.is_boolean() && schema.get<bool>()) || (schema.is_object() && schema.empty());
}

// 3.0 is a whole number too, but not to the engine.
void WriteAsInteger(OrderedJson& value) {
  if (!value.is_number_float()) return;
  const double number = value.get<double>();
  if (number >= 0 && number < 9e15 && std::nearbyint(number) == number) {
    value = static_cast<uint64_t>(number);
  }
}

// The engine holds bounds as doubles, and whole numbers in 64 bits.
bool IsExactBound(const OrderedJson& value) {
  constexpr double kMost = 9e18;
  const auto number = value.get<double>();
  if (!(std::abs(number) < kMost)) return false;
  return value.is_number_float() || static_cast<int64_t>(number) == value.get<int64_t>();
}

std::string Join(const std::string& path, const std::string& key) {
  return absl::StrCat(path, "/", absl::StrReplaceAll(key, {{"~", "~0"}, {"/", "~1"}}));
}

absl::Status Refuse(const std::string& path, std::string_view reason) {
  return InvalidArgument(absl::StrCat(path, ": ", ToAbsl(reason)));
}

// The percent escapes of a reference's fragment.
std::string Unescaped(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t byte = 0;
    if (text[i] == '%' && text.size() - i > 2 &&
        absl::SimpleHexAtoi(ToAbsl(text.substr(i + 1, 2)), &byte)) {
      name.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      name.push_back(text[i]);
    }
  }
  return name;
}

// Whether an assertion holds for every value.
bool SaysNothing(const OrderedJson& schema, const std::string& key, const OrderedJson& value) {
  if (key == "uniqueItems") {
    const auto most = schema.find("maxItems");
    const bool at_most_one = most != schema.end() && most->is_number() && *most <= 1;
    return value.is_boolean() && (!value.get<bool>() || at_most_one);
  }
  if (key == "unevaluatedItems" || key == "unevaluatedProperties") return AllowsAll(value);
  if (key == "propertyNames") {
    return AllowsAll(value) || value == OrderedJson({{"type", "string"}});
  }
  if (key == "dependencies" || key == "dependentRequired" || key == "dependentSchemas") {
    return value.is_object() && value.empty();
  }
  if (key == "not") return value.is_boolean() && !value.get<bool>();
  if (key == "if") return !schema.contains("then") && !schema.contains("else");
  if (key == "then" || key == "else") return !schema.contains("if") || AllowsAll(value);
  if (key == "minContains" || key == "maxContains") return !schema.contains("contains");
  return false;
}

// Removes annotations that the engine does not know, and assertions that say nothing.
void DropWhatSaysNothing(OrderedJson& schema) {
  std::vector<std::string> dropped;
  for (const auto& [key, value] : schema.items()) {
    if (ShapeOf(key) == Shape::kDropped || SaysNothing(schema, key, value)) dropped.push_back(key);
  }
  for (const std::string& key : dropped) schema.erase(key);
  // With its branches gone, a condition says nothing either.
  if (!schema.contains("then") && !schema.contains("else")) schema.erase("if");
}

// Adds what the engine leaves out of the formats that it knows, and turns patterns into its
// dialect.
void TightenStrings(OrderedJson& schema) {
  if (const auto pattern = schema.find("pattern");
      pattern != schema.end() && pattern->is_string()) {
    *pattern = EngineRegex(pattern->get_ref<const std::string&>());
  }
  const auto format = schema.find("format");
  if (format == schema.end() || !format->is_string()) return;
  const bool is_hostname = *format == "hostname";
  const std::string_view stricter = StricterFormat(format->get_ref<const std::string&>());
  if (stricter.empty()) return;
  OrderedJson assertion = {{"pattern", std::string(stricter)}};
  if (is_hostname) assertion["maxLength"] = kHostnameMax;
  if (!schema.contains("allOf")) schema["allOf"] = OrderedJson::array();
  if (schema["allOf"].is_array()) schema["allOf"].push_back(std::move(assertion));
}

// Keys that are patterns, in the engine's dialect.
void RewritePatternKeys(OrderedJson& schema) {
  const auto patterns = schema.find("patternProperties");
  if (patterns == schema.end() || !patterns->is_object()) return;
  OrderedJson rewritten = OrderedJson::object();
  for (auto& [key, value] : patterns->items()) rewritten[EngineRegex(key)] = std::move(value);
  *patterns = std::move(rewritten);
}

void CloseObject(OrderedJson& schema) {
  if (schema.contains("properties") && !schema.contains("additionalProperties") &&
      !schema.contains("patternProperties")) {
    schema["additionalProperties"] = false;
  }
}

absl::Status CheckFormat(const OrderedJson& schema, const OrderedJson& value,
                         const std::string& path) {
  if (!value.is_string()) return Refuse(path, "must be a string");
  const auto type = schema.find("type");
  // Formats speak of strings; those that OpenAPI gives to numbers are hints.
  const bool no_string = type != schema.end() && type->is_string() && *type != "string";
  const std::string& format = value.get_ref<const std::string&>();
  if (no_string || Formats().contains(format)) return absl::OkStatus();
  return Refuse(path, absl::StrCat("the format '", format, "' cannot be enforced"));
}

absl::Status CheckTypes(const OrderedJson& value, const std::string& path) {
  const bool list =
      value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), IsTypeName);
  if (list || IsTypeName(value)) return absl::OkStatus();
  return Refuse(path, "must name one or several of the types of JSON");
}

absl::Status CheckValue(Shape shape, OrderedJson& value, const std::string& path) {
  const auto require = [&path](bool holds, std::string_view what) {
    return holds ? absl::OkStatus() : Refuse(path, absl::StrCat("must be ", ToAbsl(what)));
  };
  switch (shape) {
    case Shape::kCount:
      WriteAsInteger(value);
      return require(value.is_number_unsigned(), "a whole number, 0 or more");
    case Shape::kNumber:
    case Shape::kBound:
      if (value.is_number() && !IsExactBound(value)) {
        return Refuse(path, "the number is too large to be enforced exactly");
      }
      if (shape == Shape::kNumber) return require(value.is_number(), "a number");
      return require(value.is_number() || value.is_boolean(), "a number");
    case Shape::kText:
      return require(value.is_string(), "a string");
    case Shape::kTextList:
      return require(IsTextList(value), "a list of strings");
    case Shape::kValues:
      return require(value.is_array() && !value.empty(), "a list with at least one value");
    case Shape::kTypes:
      return CheckTypes(value, path);
    default:
      return absl::OkStatus();
  }
}

// Names of parts of a document other than their paths.
struct Identities {
  bool old_ids = false;  // "id" is one, as before draft 6
  bool any = false;
  bool nested = false;  // paths may begin elsewhere than at the root
};

void FindIdentities(const OrderedJson& value, bool is_root, Identities& found) {
  if (value.is_object()) {
    const auto has = [&value](const char* key) {
      const auto member = value.find(key);
      return member != value.end() && member->is_string();
    };
    const bool has_id = has("$id") || (found.old_ids && has("id"));
    found.any = found.any || has_id || has("$anchor");
    found.nested = found.nested || (has_id && !is_root);
  }
  if (!value.is_structured()) return;
  for (const OrderedJson& part : value) FindIdentities(part, false, found);
}

// Nodes are named by their path from the root, as they move while the document is rewritten.
class SchemaWalk {
 public:
  SchemaWalk(OrderedJson& root, const JsonLayout& layout, Identities identities)
      : root_(root), original_(root), layout_(layout), identities_(identities) {}

  absl::Status Run() {
    RETURN_IF_ERROR(Visit(root_, "#"));
    while (!pending_.empty()) {
      const std::string path = std::move(pending_.back());
      pending_.pop_back();
      // What was part of a replaced branch is gone from here, and was visited where it went.
      if (const auto node = Find(path)) RETURN_IF_ERROR(Visit(*node->second, path));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Visit(OrderedJson& schema, const std::string& path) {
    if (schema.is_boolean() || !visited_.insert(path).second) return absl::OkStatus();
    if (!schema.is_object()) return Refuse(path, "a schema must be an object or a boolean");
    DropWhatSaysNothing(schema);
    RewriteSchema(schema, find_original_);
    if (!schema.is_object()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckPatterns(schema, path));
    TightenStrings(schema);
    RewritePatternKeys(schema);
    if (layout_.closed_objects) CloseObject(schema);
    for (auto& [key, value] : schema.items()) {
      const std::optional<Shape> shape = ShapeOf(key);
      if (!shape.has_value()) continue;
      if (*shape == Shape::kFormat) {
        RETURN_IF_ERROR(CheckFormat(schema, value, Join(path, key)));
      } else {
        RETURN_IF_ERROR(VisitKeyword(*shape, key, value, Join(path, key)));
      }
    }
    if (exclusive_.contains(Join(path, "oneOf"))) MoveToAnyOf(schema);
    return absl::OkStatus();
  }

  absl::Status CheckPatterns(const OrderedJson& schema, const std::string& path) {
    const auto names = schema.find("properties");
    const size_t name_count = names == schema.end() ? 0 : names->size();
    if (name_count > kPropertiesMax) {
      return Refuse(Join(path, "properties"),
                    absl::StrCat("has more than ", kPropertiesMax, " properties"));
    }
    const auto patterns = schema.find("patternProperties");
    if (patterns != schema.end() && patterns->is_object()) {
      name_comparisons_ += patterns->size() * (patterns->size() + name_count);
      if (name_comparisons_ > kNameComparisonsMax) {
        return Refuse(Join(path, "patternProperties"), "too many patterns of names");
      }
    }
    const bool says_more = schema.contains("pattern") || schema.contains("format") ||
                           schema.contains("anyOf") || schema.contains("oneOf");
    const bool joins = schema.contains("allOf") || (schema.contains("$ref") && says_more);
    if (!joins || JoinedPatterns(find_original_).In(schema) <= JoinedPatterns::kMax) {
      return absl::OkStatus();
    }
    return Refuse(path,
                  absl::StrCat("joins more than ", JoinedPatterns::kMax, " patterns and formats"));
  }

  absl::Status VisitKeyword(Shape shape, const std::string& key, OrderedJson& value,
                            const std::string& path) {
    switch (shape) {
      case Shape::kSchema:
        return Visit(value, path);
      case Shape::kSchemaList:
        return VisitList(value, key, path);
      case Shape::kSchemaMap:
        return VisitMap(value, path);
      case Shape::kSchemaOrList:
        return value.is_array() ? VisitList(value, key, path) : Visit(value, path);
      case Shape::kDefinitions:
        // Otherwise those count that are referred to.
        return identities_.any ? VisitMap(value, path) : absl::OkStatus();
      case Shape::kReference:
        return VisitReference(value, path);
      case Shape::kUnsupported:
        return Refuse(path, absl::StrCat("the keyword '", key, "' cannot be enforced"));
      default:
        return CheckValue(shape, value, path);
    }
  }

  absl::Status VisitList(OrderedJson& list, const std::string& key, const std::string& path) {
    if (!list.is_array()) return Refuse(path, "must be a list of schemas");
    if (key == "oneOf") return VisitBranches(list, path);
    for (size_t i = 0; i < list.size(); ++i) {
      RETURN_IF_ERROR(Visit(list[i], absl::StrCat(path, "/", i)));
    }
    return absl::OkStatus();
  }

  absl::Status VisitBranches(OrderedJson& list, const std::string& path) {
    const size_t depth = placed_.size();
    std::vector<std::vector<std::string>> placed;  // of each branch
    // Those that admit nothing do not count.
    std::erase(list.get_ref<OrderedJson::array_t&>(), OrderedJson(false));
    for (OrderedJson& branch : list) {
      PutInPlace(branch);
      placed.emplace_back(placed_.begin() + static_cast<ptrdiff_t>(depth), placed_.end());
      placed_.resize(depth);
    }
    SeparateBranches(list);
    // As they are before they become stricter.
    if (!list.empty() && BranchesExcludeEachOther(list)) exclusive_.insert(path);
    for (size_t i = 0; i < list.size(); ++i) {
      placed_.insert(placed_.end(), placed[i].begin(), placed[i].end());
      RETURN_IF_ERROR(Visit(list[i], absl::StrCat(path, "/", i)));
      placed_.resize(depth);
    }
    return absl::OkStatus();
  }

  absl::Status VisitMap(OrderedJson& map, const std::string& path) {
    if (!map.is_object()) return Refuse(path, "must be an object of schemas");
    for (auto& [key, value] : map.items()) RETURN_IF_ERROR(Visit(value, Join(path, key)));
    return absl::OkStatus();
  }

  // A branch that is a reference and nothing else becomes a copy of what it refers to: the engine
  // compares the branches of a oneOf, but not through references. A recursive one stays.
  void PutInPlace(OrderedJson& branch) {
    while (!identities_.any && branch.is_object() && branch.size() == 1 &&
           branch.contains("$ref") && branch["$ref"].is_string()) {
      // As it was: a copy is rewritten in its new place.
      const auto target =
          FindIn(original_, Unescaped(branch["$ref"].get_ref<const std::string&>()));
      if (!target.has_value() || !target->second->is_object() || target->second->contains("$id") ||
          std::find(placed_.begin(), placed_.end(), target->first) != placed_.end()) {
        return;
      }
      copied_bytes_ += SerializeJson(*target->second).size();
      if (copied_bytes_ > kSchemaBytesMax) return;
      placed_.push_back(target->first);
      OrderedJson copy = *target->second;
      branch = std::move(copy);
    }
  }

  absl::Status VisitReference(const OrderedJson& value, const std::string& path) {
    if (!value.is_string()) return Refuse(path, "must be a string");
    const std::string& reference = value.get_ref<const std::string&>();
    const auto target = Resolve(reference);
    const size_t fragment = std::min(reference.find('#'), reference.size());
    if (identities_.nested || (identities_.any && fragment > 0)) {
      return CheckFragment(Unescaped(std::string_view(reference).substr(fragment)), path);
    }
    if (!target.has_value()) {
      // By anchor: the engine finds it, or says that it cannot.
      if (identities_.any) return absl::OkStatus();
      return Refuse(path, reference.starts_with("#") ? "refers to what is not there"
                                                     : "refers to another document");
    }
    if (!referenced_.insert(target->first).second) return absl::OkStatus();
    if (referenced_.size() > kReferencesMax) {
      return Refuse(path, absl::StrCat("refers to more than ", kReferencesMax, " definitions"));
    }
    pending_.push_back(target->first);
    return absl::OkStatus();
  }

  // Relative to a part that has an identity, only what has been visited anyway can be told from
  // what has not.
  static absl::Status CheckFragment(const std::string& fragment, const std::string& path) {
    const std::vector<std::string> steps = absl::StrSplit(fragment, '/');
    const bool is_definition =
        steps.size() == 3 && (steps[1] == "$defs" || steps[1] == "definitions");
    if (steps.size() == 1 || is_definition) return absl::OkStatus();
    return Refuse(path, "refers by its path to what is no definition, in a schema with identities");
  }

  std::optional<std::pair<std::string, OrderedJson*>> Resolve(std::string_view reference) {
    return Find(Unescaped(reference));
  }

  // A pointer into this document: its path in our spelling, and the node.
  std::optional<std::pair<std::string, OrderedJson*>> Find(std::string_view reference) {
    return FindIn(root_, reference);
  }
  static std::optional<std::pair<std::string, OrderedJson*>> FindIn(OrderedJson& root,
                                                                    std::string_view reference) {
    if (reference == "#") return std::make_pair("#", &root);
    if (!reference.starts_with("#/")) return std::nullopt;
    std::string path = "#";
    OrderedJson* at = &root;
    for (const absl::string_view step : absl::StrSplit(ToAbsl(reference.substr(2)), '/')) {
      const std::string name = absl::StrReplaceAll(step, {{"~1", "/"}, {"~0", "~"}});
      uint32_t index = 0;
      if (at->is_object() && at->contains(name)) {
        at = &(*at)[name];
      } else if (at->is_array() && absl::SimpleAtoi(name, &index) && index < at->size()) {
        at = &(*at)[index];
      } else {
        return std::nullopt;
      }
      path = Join(path, name);
    }
    return std::make_pair(path, at);
  }

  OrderedJson& root_;
  OrderedJson original_;
  const JsonLayout& layout_;
  const Identities identities_;
  const FindSchema find_original_ = [this](const std::string& reference) -> const OrderedJson* {
    if (identities_.any) return nullptr;
    const auto found = FindIn(original_, Unescaped(reference));
    return found.has_value() ? found->second : nullptr;
  };
  size_t name_comparisons_ = 0;
  size_t copied_bytes_ = 0;
  std::vector<std::string> placed_;  // what the branches around this one were
  absl::flat_hash_set<std::string> visited_;
  absl::flat_hash_set<std::string> exclusive_;  // lists of branches that exclude each other
  absl::flat_hash_set<std::string> referenced_;
  std::vector<std::string> pending_;
};

OrderedJson EngineOptions(const JsonLayout& layout) {
  if (layout.compact) return {{"whitespace_flexible", false}};
  return {{"whitespace_flexible", true},
          {"whitespace_pattern", layout.whitespace_pattern.value_or(kWhitespace)}};
}

}  // namespace

absl::StatusOr<std::string> PrepareJsonSchema(std::string_view text, const JsonLayout& layout,
                                              std::string_view subject) {
  if (text.size() > kSchemaBytesMax) {
    return InvalidArgument(
        absl::StrCat(ToAbsl(subject), ": ", text.size(), " bytes, at most ", kSchemaBytesMax));
  }
  absl::StatusOr<OrderedJson> root = ParseOrderedJson(text, {.depth_max = kDepthMax});
  if (!root.ok()) return Annotate(root.status(), subject);
  Identities identities;
  identities.old_ids = text.find("/draft-0") != text.npos;
  FindIdentities(*root, true, identities);
  if (const absl::Status status = SchemaWalk(*root, layout, identities).Run(); !status.ok()) {
    return Annotate(status, subject);
  }
  if (root->is_boolean()) {
    if (!root->get<bool>())
      return InvalidArgument(absl::StrCat(ToAbsl(subject), ": allows nothing"));
    *root = OrderedJson::object();
  }
  (*root)["x-guidance"] = EngineOptions(layout);
  return SerializeJson(*root);
}

}  // namespace baton
