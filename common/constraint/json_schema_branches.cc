#include "common/constraint/json_schema_branches.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "common/constraint/json_schema_terms.h"

namespace baton {
namespace {

using schema::AlsoRequire;
using schema::Find;
using schema::Holds;
using schema::IsTextList;
using schema::Names;
using schema::TypesOf;
using schema::ValuesOf;
using schema::WithKey;

// Bounds of the time that one oneOf takes.
constexpr int kComparisonsMax = 20'000;
constexpr size_t kPairsMax = 100'000;  // of two enums' values
constexpr size_t kPairsPerComparison = 16;

Names KindsOf(const OrderedJson& schema) {
  Names kinds;
  const OrderedJson values = ValuesOf(&schema, [](const std::string&) { return nullptr; });
  if (values.is_array()) {
    for (const OrderedJson& value : values) kinds.insert(value.type_name());
    return kinds;
  }
  const auto types = schema.contains("type") ? TypesOf(schema["type"]) : std::nullopt;
  if (!types.has_value()) return {"null", "boolean", "number", "string", "array", "object"};
  for (const std::string& type : *types) kinds.insert(type == "integer" ? "number" : type);
  return kinds;
}

// The least or most that a keyword allows.
double LimitOf(const OrderedJson& schema, const char* keyword, double unlimited) {
  const OrderedJson* limit = Find(schema, keyword);
  return limit != nullptr && limit->is_number() ? limit->get<double>() : unlimited;
}

bool LiesBelow(const OrderedJson& a, const OrderedJson& b, const char* least, const char* most) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return LimitOf(a, most, kInfinity) < LimitOf(b, least, -kInfinity);
}

bool NumbersExclude(const OrderedJson& a, const OrderedJson& b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const char* most : {"maximum", "exclusiveMaximum"}) {
    for (const char* least : {"minimum", "exclusiveMinimum"}) {
      const double high = LimitOf(a, most, kInfinity);
      const double low = LimitOf(b, least, -kInfinity);
      const bool open = most[0] == 'e' || least[0] == 'e';
      if (high < low || (open && high == low)) return true;
    }
  }
  return false;
}

// How deep two branches are compared, and how much may still be compared in all.
struct Comparison {
  int depth = 0;
  int& left;
};

bool Exclude(const OrderedJson& a, const OrderedJson& b, Comparison comparison);

bool Requires(const OrderedJson& schema, const std::string& name) {
  const OrderedJson* required = Find(schema, "required");
  return IsTextList(required) && Holds(*required, name);
}

// What the schema says of a property; null: nothing.
const OrderedJson* PropertyOf(const OrderedJson& schema, const std::string& name) {
  const OrderedJson* properties = Find(schema, "properties");
  if (properties != nullptr && !properties->is_object()) return nullptr;
  const OrderedJson* property = properties == nullptr ? nullptr : Find(*properties, name);
  if (property != nullptr || schema.contains("patternProperties")) return property;
  return Find(schema, "additionalProperties");
}

// Whether a property that `a` requires cannot be in an object that `b` admits.
bool ObjectsExclude(const OrderedJson& a, const OrderedJson& b, Comparison comparison) {
  const OrderedJson* required = Find(a, "required");
  if (!IsTextList(required)) return false;
  for (const OrderedJson& name : *required) {
    const OrderedJson* there = PropertyOf(b, name.get<std::string>());
    if (there == nullptr) continue;
    if (*there == OrderedJson(false)) return true;
    const OrderedJson* here = PropertyOf(a, name.get<std::string>());
    if (here != nullptr && Requires(b, name.get<std::string>()) &&
        Exclude(*here, *there, {comparison.depth + 1, comparison.left})) {
      return true;
    }
  }
  return false;
}

// Whether no value fits both, as far as that can be seen.
bool Exclude(const OrderedJson& a, const OrderedJson& b, Comparison comparison) {
  if (!a.is_object() || !b.is_object()) return false;
  if (comparison.depth > schema::kReferencesDepthMax || --comparison.left < 0) return false;
  if (a.contains("$ref") || b.contains("$ref")) return false;  // says nothing else in old drafts
  const auto nowhere = [](const std::string&) { return nullptr; };
  const OrderedJson values = ValuesOf(&a, nowhere);
  const OrderedJson others = ValuesOf(&b, nowhere);
  if (values.is_array() && others.is_array()) {
    const size_t pairs = values.size() * others.size();
    if (pairs > kPairsMax) return false;
    comparison.left -= static_cast<int>(pairs / kPairsPerComparison);
    return std::none_of(values.begin(), values.end(),
                        [&](const OrderedJson& value) { return Holds(others, value); });
  }
  const Names other_kinds = KindsOf(b);
  for (const std::string& kind : KindsOf(a)) {
    if (!other_kinds.contains(kind)) continue;
    const bool excluded =
        kind == "number" ? NumbersExclude(a, b) || NumbersExclude(b, a)
        : kind == "string"
            ? LiesBelow(a, b, "minLength", "maxLength") || LiesBelow(b, a, "minLength", "maxLength")
        : kind == "array"
            ? LiesBelow(a, b, "minItems", "maxItems") || LiesBelow(b, a, "minItems", "maxItems")
        : kind == "object" ? ObjectsExclude(a, b, comparison) || ObjectsExclude(b, a, comparison)
                           : false;
    if (!excluded) return false;
  }
  return true;
}

// The constant value that a branch asks of a property; null if there is none.
const OrderedJson* ConstantOf(const OrderedJson& branch, const std::string& name) {
  if (!branch.is_object()) return nullptr;
  const OrderedJson* properties = Find(branch, "properties");
  if (properties == nullptr || !properties->is_object()) return nullptr;
  const OrderedJson* property = Find(*properties, name);
  if (property == nullptr || !property->is_object()) return nullptr;
  if (const OrderedJson* value = Find(*property, "const")) return value;
  const OrderedJson* values = Find(*property, "enum");
  const bool single = values != nullptr && values->is_array() && values->size() == 1;
  return single ? &values->front() : nullptr;
}

bool TellsApart(const OrderedJson& branches, const std::string& name) {
  OrderedJson seen = OrderedJson::array();
  for (const OrderedJson& branch : branches) {
    const OrderedJson* value = ConstantOf(branch, name);
    const OrderedJson* required = branch.is_object() ? Find(branch, "required") : nullptr;
    if (value == nullptr || Holds(seen, *value)) return false;
    if (required != nullptr && !IsTextList(required)) return false;
    seen.push_back(*value);
  }
  return true;
}

}  // namespace

void SeparateBranches(OrderedJson& branches) {
  if (branches.size() < 2) return;
  const OrderedJson* properties =
      branches[0].is_object() ? Find(branches[0], "properties") : nullptr;
  if (properties == nullptr || !properties->is_object()) return;
  for (const auto& [name, value] : properties->items()) {
    if (!TellsApart(branches, name)) continue;
    const std::string key = name;
    for (OrderedJson& branch : branches) {
      OrderedJson& required = branch["required"];
      if (required.is_null()) required = OrderedJson::array();
      if (!Holds(required, key)) required.push_back(key);
    }
    return;
  }
}

bool BranchesExcludeEachOther(const OrderedJson& branches) {
  int left = kComparisonsMax;
  for (size_t i = 0; i < branches.size(); ++i) {
    for (size_t j = i + 1; j < branches.size(); ++j) {
      if (!Exclude(branches[i], branches[j], {0, left})) return false;
    }
  }
  return true;
}

void MoveToAnyOf(OrderedJson& schema) {
  OrderedJson branches = std::move(schema["oneOf"]);
  schema.erase("oneOf");
  if (schema.contains("anyOf")) {
    AlsoRequire(schema, WithKey("anyOf", std::move(branches)));
  } else {
    schema["anyOf"] = std::move(branches);
  }
}

}  // namespace baton
