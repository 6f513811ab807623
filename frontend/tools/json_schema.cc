#include "frontend/tools/json_schema.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton::frontend {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDepthMax = 96;
constexpr int kReferencesMax = 32;
constexpr std::string_view kTypes[] = {"null",   "boolean", "integer", "number",
                                       "string", "array",   "object"};

const Json* Member(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

absl::Status Wrong(const std::string& path, std::string_view what) {
  return InvalidArgument(absl::StrCat(path, ": ", ToAbsl(what)));
}

absl::Status CheckType(const Json& type, const std::string& path) {
  if (type.is_array()) {
    for (size_t i = 0; i < type.size(); ++i) {
      if (!type[i].is_string()) return Wrong(path, "a type is a string");
      RETURN_IF_ERROR(CheckType(type[i], absl::StrCat(path, "[", i, "]")));
    }
    return type.empty() ? Wrong(path, "an empty list of types") : absl::OkStatus();
  }
  if (!type.is_string()) return Wrong(path, "a type is a string or a list of strings");
  for (const std::string_view known : kTypes) {
    if (type.get_ref<const std::string&>() == known) return absl::OkStatus();
  }
  return Wrong(path, absl::StrCat("`", type.get_ref<const std::string&>().substr(0, 64),
                                  "` is not a type of JSON Schema"));
}

absl::Status CheckAt(const Json& schema, const std::string& path, int depth);

absl::Status CheckEach(const Json& schema, const char* key, const std::string& path, int depth) {
  const Json* list = Member(schema, key);
  if (list == nullptr) return absl::OkStatus();
  const std::string at = absl::StrCat(path, ".", key);
  if (!list->is_array() || list->empty()) return Wrong(at, "a list of schemas is expected");
  for (size_t i = 0; i < list->size(); ++i) {
    RETURN_IF_ERROR(CheckAt((*list)[i], absl::StrCat(at, "[", i, "]"), depth + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckNamed(const Json& schema, const char* key, const std::string& path, int depth) {
  const Json* members = Member(schema, key);
  if (members == nullptr) return absl::OkStatus();
  const std::string at = absl::StrCat(path, ".", key);
  if (!members->is_object()) return Wrong(at, "an object of schemas is expected");
  for (const auto& [name, value] : members->items()) {
    RETURN_IF_ERROR(CheckAt(value, absl::StrCat(at, ".", name.substr(0, 64)), depth + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckLists(const Json& schema, const std::string& path) {
  if (const Json* required = Member(schema, "required")) {
    const std::string at = path + ".required";
    if (!required->is_array()) return Wrong(at, "a list of names is expected");
    for (const Json& name : *required) {
      if (!name.is_string()) return Wrong(at, "a list of names is expected");
    }
  }
  const Json* values = Member(schema, "enum");
  if (values != nullptr && (!values->is_array() || values->empty())) {
    return Wrong(path + ".enum", "a list of values is expected");
  }
  return absl::OkStatus();
}

absl::Status CheckAt(const Json& schema, const std::string& path, int depth) {
  if (depth > kDepthMax) return Wrong(path, "nested too deeply");
  if (schema.is_boolean()) return absl::OkStatus();
  if (!schema.is_object()) return Wrong(path, "a schema is an object");
  if (const Json* type = Member(schema, "type")) {
    RETURN_IF_ERROR(CheckType(*type, path + ".type"));
  }
  RETURN_IF_ERROR(CheckLists(schema, path));
  for (const char* key : {"properties", "$defs", "definitions", "patternProperties"}) {
    RETURN_IF_ERROR(CheckNamed(schema, key, path, depth));
  }
  for (const char* key : {"anyOf", "oneOf", "allOf", "prefixItems"}) {
    RETURN_IF_ERROR(CheckEach(schema, key, path, depth));
  }
  for (const char* key : {"items", "additionalProperties", "not"}) {
    const Json* inner = Member(schema, key);
    if (inner == nullptr || inner->is_array()) continue;  // items: [..] is an older draft's tuple
    RETURN_IF_ERROR(CheckAt(*inner, absl::StrCat(path, ".", key), depth + 1));
  }
  return absl::OkStatus();
}

// What a local reference points to, or null.
const Json* Resolve(const Json& root, const std::string& reference) {
  if (reference == "#") return &root;
  if (reference.rfind("#/", 0) != 0) return nullptr;
  const Json* at = &root;
  for (size_t begin = 2; begin <= reference.size();) {
    const size_t slash = std::min(reference.find('/', begin), reference.size());
    std::string key = reference.substr(begin, slash - begin);
    for (size_t i = 0; (i = key.find('~', i)) != std::string::npos && i + 1 < key.size(); ++i) {
      key.replace(i, 2, key[i + 1] == '1' ? "/" : "~");
    }
    if (!at->is_object()) return nullptr;
    at = Member(*at, key.c_str());
    if (at == nullptr) return nullptr;
    begin = slash + 1;
  }
  return at;
}

bool IsWhole(const Json& value) {
  if (value.is_number_integer()) return true;
  return value.is_number_float() && std::floor(value.get<double>()) == value.get<double>();
}

bool HasType(const Json& value, std::string_view type) {
  if (type == "integer") return IsWhole(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return value.is_null();
}

bool FitsType(const Json& type, const Json& value) {
  if (type.is_string()) return HasType(value, type.get_ref<const std::string&>());
  for (const Json& one : type) {
    if (one.is_string() && HasType(value, one.get_ref<const std::string&>())) return true;
  }
  return false;
}

size_t CharacterCount(const std::string& text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return count;
}

// A bound `key` that `measure` must keep.
bool Keeps(const Json& schema, const char* key, double measure, bool (*within)(double, double)) {
  const Json* bound = Member(schema, key);
  return bound == nullptr || !bound->is_number() || within(measure, bound->get<double>());
}

bool FitsBounds(const Json& schema, const Json& value) {
  const auto at_least = [](double a, double b) { return a >= b; };
  const auto at_most = [](double a, double b) { return a <= b; };
  if (value.is_number()) {
    const double number = value.get<double>();
    return Keeps(schema, "minimum", number, at_least) &&
           Keeps(schema, "maximum", number, at_most) &&
           Keeps(schema, "exclusiveMinimum", number, [](double a, double b) { return a > b; }) &&
           Keeps(schema, "exclusiveMaximum", number, [](double a, double b) { return a < b; });
  }
  if (value.is_string()) {
    const auto length = static_cast<double>(CharacterCount(value.get_ref<const std::string&>()));
    return Keeps(schema, "minLength", length, at_least) &&
           Keeps(schema, "maxLength", length, at_most);
  }
  if (!value.is_array()) return true;
  const auto count = static_cast<double>(value.size());
  return Keeps(schema, "minItems", count, at_least) && Keeps(schema, "maxItems", count, at_most);
}

class Check {
 public:
  explicit Check(const Json& root) : root_(root) {}

  bool Accepts(const Json& schema, const Json& value, int depth, int references) const {
    if (schema.is_boolean()) return schema.get<bool>();
    if (!schema.is_object() || depth > kDepthMax) return false;
    if (const Json* reference = Member(schema, "$ref"); reference && reference->is_string()) {
      const Json* target = Resolve(root_, reference->get_ref<const std::string&>());
      if (references >= kReferencesMax) return false;
      if (target != nullptr && !Accepts(*target, value, depth, references + 1)) return false;
    }
    const Json* type = Member(schema, "type");
    if (type != nullptr && !FitsType(*type, value)) return false;
    if (const Json* only = Member(schema, "const"); only && *only != value) return false;
    if (const Json* values = Member(schema, "enum"); values && !Contains(*values, value)) {
      return false;
    }
    if (!FitsBounds(schema, value)) return false;
    if (value.is_object() && !FitsMembers(schema, value, depth)) return false;
    if (value.is_array() && !FitsItems(schema, value, depth)) return false;
    return FitsAlternatives(schema, value, depth, references);
  }

 private:
  static bool Contains(const Json& values, const Json& value) {
    for (const Json& one : values) {
      if (one == value) return true;
    }
    return false;
  }

  bool FitsMembers(const Json& schema, const Json& value, int depth) const {
    if (const Json* required = Member(schema, "required"); required && required->is_array()) {
      for (const Json& name : *required) {
        if (name.is_string() && !value.contains(name.get_ref<const std::string&>())) return false;
      }
    }
    const Json* properties = Member(schema, "properties");
    const Json* others = Member(schema, "additionalProperties");
    const bool by_pattern = schema.contains("patternProperties");
    for (const auto& [name, member] : value.items()) {
      const Json* own = properties != nullptr && properties->is_object()
                            ? Member(*properties, name.c_str())
                            : nullptr;
      if (own == nullptr && !by_pattern) own = others;
      if (own != nullptr && !Accepts(*own, member, depth + 1, 0)) return false;
    }
    return true;
  }

  bool FitsItems(const Json& schema, const Json& value, int depth) const {
    const Json* items = Member(schema, "items");
    if (items == nullptr || items->is_array()) return true;
    const Json* prefix = Member(schema, "prefixItems");
    const size_t first = prefix != nullptr && prefix->is_array() ? prefix->size() : 0;
    for (size_t i = first; i < value.size(); ++i) {
      if (!Accepts(*items, value[i], depth + 1, 0)) return false;
    }
    return true;
  }

  bool FitsAlternatives(const Json& schema, const Json& value, int depth, int references) const {
    const auto count = [&](const Json& list) {
      size_t accepted = 0;
      for (const Json& one : list) accepted += Accepts(one, value, depth + 1, references);
      return accepted;
    };
    const Json* all = Member(schema, "allOf");
    if (all != nullptr && count(*all) < all->size()) return false;
    const Json* any = Member(schema, "anyOf");
    if (any != nullptr && count(*any) == 0) return false;
    const Json* one = Member(schema, "oneOf");
    if (one != nullptr && count(*one) != 1) return false;
    const Json* not_this = Member(schema, "not");
    return not_this == nullptr || !Accepts(*not_this, value, depth + 1, references);
  }

  const Json& root_;
};

void AddType(std::string_view type, SchemaTypes& types) {
  types.null |= type == "null";
  types.boolean |= type == "boolean";
  types.integer |= type == "integer";
  types.number |= type == "number";
  types.string |= type == "string";
  types.array |= type == "array";
  types.object |= type == "object";
}

void AddTypeOf(const Json& value, SchemaTypes& types) {
  types.null |= value.is_null();
  types.boolean |= value.is_boolean();
  types.integer |= value.is_number_integer();
  types.number |= value.is_number_float();
  types.string |= value.is_string();
  types.array |= value.is_array();
  types.object |= value.is_object();
}

void AddTypes(const Json& schema, const Json& root, int depth, SchemaTypes& types) {
  if (!schema.is_object() || depth > kReferencesMax) return;
  if (const Json* type = Member(schema, "type")) {
    if (type->is_string()) AddType(type->get_ref<const std::string&>(), types);
    if (type->is_array()) {
      for (const Json& one : *type) {
        if (one.is_string()) AddType(one.get_ref<const std::string&>(), types);
      }
    }
  }
  if (const Json* only = Member(schema, "const")) AddTypeOf(*only, types);
  if (const Json* values = Member(schema, "enum"); values && values->is_array()) {
    for (const Json& value : *values) AddTypeOf(value, types);
  }
  for (const char* key : {"anyOf", "oneOf", "allOf"}) {
    const Json* list = Member(schema, key);
    if (list == nullptr || !list->is_array()) continue;
    for (const Json& one : *list) AddTypes(one, root, depth + 1, types);
  }
  if (const Json* reference = Member(schema, "$ref"); reference && reference->is_string()) {
    const Json* target = Resolve(root, reference->get_ref<const std::string&>());
    if (target != nullptr) AddTypes(*target, root, depth + 1, types);
  }
}

}  // namespace

absl::Status CheckSchema(const Json& schema, const std::string& path) {
  return CheckAt(schema, path, 0);
}

bool SchemaAccepts(const Json& schema, const Json& value, const Json& root) {
  return Check(root).Accepts(schema, value, 0, 0);
}

SchemaTypes TypesOf(const Json& schema, const Json& root) {
  SchemaTypes types;
  AddTypes(schema, root, 0, types);
  return types;
}

}  // namespace baton::frontend
