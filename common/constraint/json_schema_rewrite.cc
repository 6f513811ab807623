#include "common/constraint/json_schema_rewrite.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "common/constraint/json_schema_terms.h"

namespace baton {
namespace {

using schema::AlsoRequire;
using schema::Find;
using schema::HasOnly;
using schema::Holds;
using schema::IsTextList;
using schema::IsType;
using schema::Names;
using schema::TypesOf;
using schema::ValuesOf;
using schema::WithKey;
using schema::WithProperty;

constexpr int kPartsMax = 1000;  // looked at on the way
constexpr size_t kDependenciesMax = 4;
constexpr size_t kUniqueValuesMax = 4;
constexpr size_t kAlternativesMax = 16;

bool HasAny(const OrderedJson& schema, std::initializer_list<const char*> keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const char* key) { return schema.contains(key); });
}

OrderedJson Alternatives(OrderedJson first, OrderedJson second) {
  OrderedJson list = OrderedJson::array();
  list.push_back(std::move(first));
  list.push_back(std::move(second));
  OrderedJson schema = OrderedJson::object();
  schema["anyOf"] = std::move(list);
  return schema;
}

// ---- unevaluated ----

struct Evaluated {
  Names properties;
  Names patterns;
  bool all = false;
  int parts_left = kPartsMax;
};

// What the schema evaluates of any object that it admits. False: that depends on the object.
bool CollectEvaluated(const OrderedJson& schema, const FindSchema& find, bool outermost, int depth,
                      Evaluated& evaluated) {
  if (schema.is_boolean()) return true;
  if (!schema.is_object() || depth > schema::kReferencesDepthMax || --evaluated.parts_left < 0)
    return false;
  if (HasAny(schema, {"anyOf", "oneOf", "if", "$dynamicRef", "$recursiveRef", "dependentSchemas",
                      "dependencies", "$id", "id"})) {
    return false;
  }
  if (schema.contains("additionalProperties")) evaluated.all = true;
  if (!outermost && schema.contains("unevaluatedProperties")) evaluated.all = true;
  for (const auto& [keyword, names] : {std::pair("properties", &evaluated.properties),
                                       std::pair("patternProperties", &evaluated.patterns)}) {
    const OrderedJson* map = Find(schema, keyword);
    if (map == nullptr) continue;
    if (!map->is_object()) return false;
    for (const auto& [name, value] : map->items()) names->insert(name);
  }
  if (const OrderedJson* all = Find(schema, "allOf")) {
    if (!all->is_array()) return false;
    for (const OrderedJson& part : *all) {
      if (!CollectEvaluated(part, find, false, depth + 1, evaluated)) return false;
    }
  }
  const OrderedJson* reference = Find(schema, "$ref");
  if (reference == nullptr) return true;
  if (!reference->is_string()) return false;
  const OrderedJson* target = find(reference->get<std::string>());
  return target != nullptr && CollectEvaluated(*target, find, false, depth + 1, evaluated);
}

void RewriteUnevaluatedProperties(OrderedJson& schema, const FindSchema& find) {
  const OrderedJson* value = Find(schema, "unevaluatedProperties");
  Evaluated evaluated;
  if (value == nullptr || !CollectEvaluated(schema, find, true, 0, evaluated)) return;
  OrderedJson rest = *value;
  schema.erase("unevaluatedProperties");
  if (evaluated.all) return;
  for (const std::string& name : evaluated.properties) {
    if (OrderedJson& map = schema["properties"]; !map.contains(name)) map[name] = true;
  }
  for (const std::string& name : evaluated.patterns) {
    if (OrderedJson& map = schema["patternProperties"]; !map.contains(name)) map[name] = true;
  }
  schema["additionalProperties"] = std::move(rest);
}

void RewriteUnevaluatedItems(OrderedJson& schema) {
  const OrderedJson* value = Find(schema, "unevaluatedItems");
  if (value == nullptr ||
      HasAny(schema, {"allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef", "$recursiveRef",
                      "dependentSchemas", "dependencies", "contains", "additionalItems"})) {
    return;
  }
  const OrderedJson* items = Find(schema, "items");
  if (items != nullptr && items->is_array()) return;
  OrderedJson rest = *value;
  const bool says_nothing = items != nullptr;
  schema.erase("unevaluatedItems");
  if (!says_nothing) schema["items"] = std::move(rest);
}

// ---- names ----

void AdmitOnlyNames(OrderedJson& schema, const OrderedJson& names) {
  const OrderedJson* known = Find(schema, "properties");
  const OrderedJson* other = Find(schema, "additionalProperties");
  OrderedJson properties = OrderedJson::object();
  if (known != nullptr) {
    for (const auto& [name, value] : known->items()) {
      if (Holds(names, name)) properties[name] = value;
    }
  }
  for (const OrderedJson& name : names) {
    if (!name.is_string() || properties.contains(name.get<std::string>())) continue;
    properties[name.get<std::string>()] = other == nullptr ? OrderedJson(true) : *other;
  }
  schema["properties"] = std::move(properties);
  schema["additionalProperties"] = false;
}

void RewritePropertyNames(OrderedJson& schema, const FindSchema& find) {
  const OrderedJson* rule = Find(schema, "propertyNames");
  if (rule == nullptr || schema.contains("patternProperties")) return;
  if (const OrderedJson* properties = Find(schema, "properties");
      properties != nullptr && !properties->is_object()) {
    return;
  }
  OrderedJson copy = *rule;
  if (HasOnly(copy, {"$ref"}) && copy.contains("$ref") && copy["$ref"].is_string()) {
    const OrderedJson* target = find(copy["$ref"].get<std::string>());
    if (target != nullptr) copy = OrderedJson(*target);
  }
  if (copy.is_boolean() && !copy.get<bool>()) {
    AdmitOnlyNames(schema, OrderedJson::array());
  } else if (!copy.contains("pattern") &&
             (HasOnly(copy, {"enum", "type"}) || HasOnly(copy, {"const", "type"}))) {
    const OrderedJson names = ValuesOf(&copy, find);
    if (!names.is_array() || (copy.contains("type") && !IsType(copy, "string"))) return;
    AdmitOnlyNames(schema, names);
  } else if (HasOnly(copy, {"pattern", "type"}) && copy.contains("pattern") &&
             copy["pattern"].is_string() && !schema.contains("properties") &&
             (!copy.contains("type") || IsType(copy, "string"))) {
    const OrderedJson* other = Find(schema, "additionalProperties");
    OrderedJson values = other == nullptr ? OrderedJson(true) : *other;
    schema["patternProperties"] =
        WithKey(copy["pattern"].get_ref<const std::string&>(), std::move(values));
    schema["additionalProperties"] = false;
  } else {
    return;
  }
  schema.erase("propertyNames");
}

// ---- dependencies ----

// Where the property is there, the assertion holds. Whatever is no object is admitted.
void RewriteDependency(OrderedJson& schema, const std::string& name, OrderedJson assertion) {
  OrderedJson present = std::move(assertion);
  OrderedJson needs = WithKey("required", OrderedJson::array({name}));
  OrderedJson both = WithKey("allOf", OrderedJson::array());
  both["allOf"].push_back(std::move(needs));
  both["allOf"].push_back(std::move(present));
  AlsoRequire(schema, Alternatives(WithProperty(name, false), std::move(both)));
}

void RewriteDependencies(OrderedJson& schema) {
  for (const char* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    const OrderedJson* rules = Find(schema, keyword);
    if (rules == nullptr || !rules->is_object() || rules->size() > kDependenciesMax) continue;
    const bool known = std::all_of(rules->begin(), rules->end(), [](const OrderedJson& rule) {
      return rule.is_object() || rule.is_boolean() || IsTextList(&rule);
    });
    if (!known) continue;
    const OrderedJson copy = *rules;
    schema.erase(keyword);
    for (const auto& [name, rule] : copy.items()) {
      RewriteDependency(schema, name, rule.is_array() ? WithKey("required", rule) : rule);
    }
  }
}

// ---- if ----

// if: a property has one of some values. then, else: alternatives, where what other values the
// property may have is known.
void RewriteCondition(OrderedJson& schema, const FindSchema& find) {
  const OrderedJson* condition = Find(schema, "if");
  if (condition == nullptr) return;
  const OrderedJson then_part = schema.value("then", OrderedJson(true));
  const OrderedJson else_part = schema.value("else", OrderedJson(true));
  const auto replace = [&](OrderedJson assertion) {
    for (const char* key : {"if", "then", "else"}) schema.erase(key);
    AlsoRequire(schema, std::move(assertion));
  };
  if (condition->is_boolean()) return replace(condition->get<bool>() ? then_part : else_part);
  if (!HasOnly(*condition, {"properties", "required", "type"}) || !IsType(schema, "object")) return;
  if (condition->contains("type") && !IsType(*condition, "object")) return;
  const OrderedJson* tested = Find(*condition, "properties");
  if (tested == nullptr || !tested->is_object() || tested->size() != 1) return;
  const std::string name = tested->begin().key();
  const OrderedJson& test = tested->begin().value();
  if (!HasOnly(test, {"const"}) && !HasOnly(test, {"enum"})) return;
  const OrderedJson* required = Find(*condition, "required");
  const bool must_be_there = required != nullptr;
  if (must_be_there && *required != OrderedJson::array({name})) return;
  const OrderedJson* properties = Find(schema, "properties");
  if (properties == nullptr || !properties->is_object()) return;
  const OrderedJson possible = ValuesOf(Find(*properties, name), find);
  const OrderedJson values = ValuesOf(&test, find);
  if (!possible.is_array() || !values.is_array()) return;
  OrderedJson others = OrderedJson::array();
  for (const OrderedJson& value : possible) {
    if (!Holds(values, value)) others.push_back(value);
  }
  OrderedJson yes = WithProperty(name, test);
  OrderedJson no =
      WithProperty(name, others.empty() ? OrderedJson(false) : WithKey("enum", std::move(others)));
  (must_be_there ? yes : no)["required"] = OrderedJson::array({name});
  AlsoRequire(yes, then_part);
  AlsoRequire(no, else_part);
  replace(Alternatives(std::move(yes), std::move(no)));
}

// ---- not ----

void ExcludeTypes(OrderedJson& schema, const OrderedJson& value) {
  const OrderedJson every = {"null", "boolean", "number", "string", "array", "object"};
  const auto excluded = TypesOf(value);
  const auto admitted = TypesOf(schema.value("type", every));
  if (!excluded.has_value() || !admitted.has_value()) return;
  const bool no_integers = excluded->contains("integer") && !excluded->contains("number");
  if (no_integers && admitted->contains("number")) return;
  OrderedJson left = OrderedJson::array();
  for (const std::string& type : *admitted) {
    const bool gone =
        excluded->contains(type) || (type == "integer" && excluded->contains("number"));
    if (!gone) left.push_back(type);
  }
  schema.erase("not");
  if (left.empty()) {
    schema = false;
  } else {
    schema["type"] = std::move(left);
  }
}

void ExcludeValues(OrderedJson& schema, const OrderedJson& excluded, const FindSchema& find) {
  const OrderedJson values = ValuesOf(&schema, find);
  if (!values.is_array() || (schema.contains("const") && schema.contains("enum"))) return;
  OrderedJson left = OrderedJson::array();
  for (const OrderedJson& value : values) {
    if (!Holds(excluded, value)) left.push_back(value);
  }
  schema.erase("not");
  schema.erase("const");
  if (left.empty()) {
    schema = false;
  } else {
    schema["enum"] = std::move(left);
  }
}

void RewriteNot(OrderedJson& schema, const FindSchema& find) {
  const OrderedJson* found = Find(schema, "not");
  if (found == nullptr) return;
  const OrderedJson rule = *found;
  const bool admits_all = (rule.is_boolean() && rule.get<bool>()) || HasOnly(rule, {});
  if (admits_all) {
    schema = false;
  } else if (rule.is_boolean()) {
    schema.erase("not");
  } else if (HasOnly(rule, {"type"})) {
    ExcludeTypes(schema, rule["type"]);
  } else if (HasOnly(rule, {"const"}) || (HasOnly(rule, {"enum"}) && rule["enum"].is_array())) {
    ExcludeValues(schema, ValuesOf(&rule, find), find);
  } else if (HasOnly(rule, {"not"})) {
    schema.erase("not");
    AlsoRequire(schema, rule["not"]);
  } else if (HasOnly(rule, {"required"}) && IsType(schema, "object") &&
             IsTextList(&rule["required"]) && rule["required"].size() == 1) {
    schema.erase("not");
    AlsoRequire(schema, WithProperty(rule["required"][0].get<std::string>(), false));
  }
}

// ---- uniqueItems ----

// The values that an array may have, in every order of every choice of `count` of them.
void Arrangements(const OrderedJson& values, size_t count, OrderedJson& so_far, OrderedJson& out) {
  if (so_far.size() == count) {
    out.push_back(so_far);
    return;
  }
  for (const OrderedJson& value : values) {
    if (Holds(so_far, value)) continue;
    so_far.push_back(value);
    Arrangements(values, count, so_far, out);
    so_far.erase(so_far.size() - 1);
  }
}

// What a schema lists and says nothing else about; null otherwise.
OrderedJson PlainValuesOf(const OrderedJson* schema, const FindSchema& find) {
  if (schema != nullptr && schema->contains("$ref") && HasOnly(*schema, {"$ref"}) &&
      (*schema)["$ref"].is_string()) {
    schema = find((*schema)["$ref"].get<std::string>());
  }
  if (schema == nullptr ||
      (!HasOnly(*schema, {"enum", "type"}) && !HasOnly(*schema, {"const", "type"}))) {
    return nullptr;
  }
  OrderedJson values = ValuesOf(schema, find);
  if (!schema->contains("type") || !values.is_array()) return values;
  const bool strings = IsType(*schema, "string") && IsTextList(&values);
  return strings ? values : OrderedJson(nullptr);
}

void RewriteUniqueItems(OrderedJson& schema, const FindSchema& find) {
  const OrderedJson* unique = Find(schema, "uniqueItems");
  if (unique == nullptr || !unique->is_boolean() || !unique->get<bool>()) return;
  if (!IsType(schema, "array") ||
      !HasOnly(schema, {"type", "items", "uniqueItems", "minItems", "maxItems"})) {
    return;
  }
  const OrderedJson listed = PlainValuesOf(Find(schema, "items"), find);
  const OrderedJson least = schema.value("minItems", OrderedJson(0U));
  const OrderedJson most = schema.value("maxItems", OrderedJson(kUniqueValuesMax));
  if (!listed.is_array() || !least.is_number() || !most.is_number()) return;
  OrderedJson values = OrderedJson::array();
  for (const OrderedJson& value : listed) {
    if (!Holds(values, value)) values.push_back(value);
  }
  if (values.size() > kUniqueValuesMax) return;
  OrderedJson arrays = OrderedJson::array();
  for (size_t count = 0; count <= values.size(); ++count) {
    OrderedJson so_far = OrderedJson::array();
    if (least <= count && most >= count) Arrangements(values, count, so_far, arrays);
  }
  for (const char* key : {"items", "uniqueItems", "minItems", "maxItems"}) schema.erase(key);
  if (arrays.empty()) {
    schema = false;
  } else {
    schema["enum"] = std::move(arrays);
  }
}

// ---- bounds ----

// What is no number by these types is a whole one or none.
bool MayBeFraction(const OrderedJson& schema) {
  const OrderedJson* type = Find(schema, "type");
  if (type == nullptr) return true;
  return type->is_array() ? Holds(*type, "number") : *type == "number";
}

// Moves a whole bound away from zero that is excluded itself: the engine admits it nevertheless
// where the other bound is less than 1 away ("0" between 0, excluded, and 0.5).
void MoveExcludedBound(OrderedJson& schema, const char* exclusive, const char* inclusive,
                       double direction) {
  constexpr double kLeast = 1e-12;
  constexpr double kRelative = 1e-15;  // some units of a double's last place
  constexpr double kMost = 1e12;       // beyond, doubles have no room in between
  const OrderedJson* bound = Find(schema, exclusive);
  if (bound != nullptr && bound->is_boolean()) {  // draft 4
    if (!bound->get<bool>()) return;
    bound = Find(schema, inclusive);
  }
  if (bound == nullptr || !bound->is_number()) return;
  const auto value = bound->get<double>();
  if (std::nearbyint(value) != value || value * direction < 0 || std::abs(value) > kMost) return;
  if (schema[exclusive].is_boolean()) schema.erase(inclusive);
  schema[exclusive] = value + direction * std::max(kLeast, std::abs(value) * kRelative);
}

void MoveExcludedBounds(OrderedJson& schema) {
  if (!MayBeFraction(schema)) return;
  MoveExcludedBound(schema, "exclusiveMinimum", "minimum", 1);
  MoveExcludedBound(schema, "exclusiveMaximum", "maximum", -1);
}

// ---- how many properties ----

// The engine counts properties only where all of those that are named are required.
void RewritePropertyCounts(OrderedJson& schema) {
  const OrderedJson* properties = Find(schema, "properties");
  const OrderedJson* required = Find(schema, "required");
  const OrderedJson* least = Find(schema, "minProperties");
  const OrderedJson* most = Find(schema, "maxProperties");
  if (properties == nullptr || !properties->is_object()) return;
  const size_t required_count = IsTextList(required) ? required->size() : 0;
  const bool closed = schema.contains("additionalProperties") &&
                      schema["additionalProperties"] == OrderedJson(false) &&
                      !schema.contains("patternProperties");
  if (most != nullptr && closed && most->is_number() && *most >= properties->size()) {
    schema.erase("maxProperties");
  }
  if (least == nullptr || !least->is_number()) return;
  const Names distinct = required_count == 0 ? Names() : Names(required->begin(), required->end());
  if (*least <= distinct.size() && IsType(schema, "object")) {
    schema.erase("minProperties");
  } else if (*least == 1 && closed && IsType(schema, "object") && !properties->empty() &&
             properties->size() <= kAlternativesMax) {
    OrderedJson any = WithKey("anyOf", OrderedJson::array());
    for (const auto& [name, value] : properties->items()) {
      any["anyOf"].push_back(WithKey("required", OrderedJson::array({name})));
    }
    schema.erase("minProperties");
    AlsoRequire(schema, std::move(any));
  }
}

// ---- oneOf ----

// oneOf: of some properties, each branch requires one. Then the others are forbidden.
void RewriteRequiredOne(OrderedJson& schema) {
  const OrderedJson* branches = Find(schema, "oneOf");
  if (branches == nullptr || !branches->is_array() || !IsType(schema, "object")) return;
  if (branches->size() < 2 || branches->size() > kAlternativesMax) return;
  Names names;
  for (const OrderedJson& branch : *branches) {
    if (!HasOnly(branch, {"required"}) || !branch.contains("required")) return;
    const OrderedJson& required = branch["required"];
    if (!IsTextList(&required) || required.size() != 1) return;
    if (!names.insert(required[0].get<std::string>()).second) return;
  }
  OrderedJson any = WithKey("anyOf", OrderedJson::array());
  for (const OrderedJson& branch : *branches) {
    OrderedJson only = WithKey("required", branch["required"]);
    for (const std::string& name : names) {
      if (branch["required"][0] != name) only["properties"][name] = false;
    }
    any["anyOf"].push_back(std::move(only));
  }
  schema.erase("oneOf");
  AlsoRequire(schema, std::move(any));
}

}  // namespace

void RewriteSchema(OrderedJson& schema, const FindSchema& find) {
  RewriteUnevaluatedProperties(schema, find);
  RewriteUnevaluatedItems(schema);
  RewritePropertyNames(schema, find);
  RewriteUniqueItems(schema, find);
  if (!schema.is_object()) return;
  MoveExcludedBounds(schema);
  RewritePropertyCounts(schema);
  RewriteRequiredOne(schema);
  RewriteDependencies(schema);
  RewriteCondition(schema, find);
  RewriteNot(schema, find);
}

size_t JoinedPatterns::In(const OrderedJson& schema) {
  if (!schema.is_object()) return 0;
  if (--parts_left_ < 0) return kMax + 1;  // who knows
  size_t count = (schema.contains("pattern") ? 1U : 0U) + (schema.contains("format") ? 1U : 0U);
  for (const char* key : {"allOf", "anyOf", "oneOf"}) {
    const OrderedJson* list = Find(schema, key);
    if (list == nullptr || !list->is_array()) continue;
    const bool all = std::string_view(key) == "allOf";
    size_t most = 0;
    for (const OrderedJson& part : *list) {
      const size_t joined = In(part);
      most = all ? most + joined : std::max(most, joined);
    }
    count += most;
  }
  const OrderedJson* reference = Find(schema, "$ref");
  if (reference == nullptr || !reference->is_string()) return count;
  const OrderedJson* target = find_(reference->get<std::string>());
  return count + (target == nullptr ? 2 : In(*target));
}

}  // namespace baton
