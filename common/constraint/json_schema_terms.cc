#include "common/constraint/json_schema_terms.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace baton::schema {
namespace {

bool IsAnnotation(std::string_view key) {
  for (const char* known : {"title", "description", "default", "examples", "$comment", "deprecated",
                            "readOnly", "writeOnly", "$schema", "$defs", "definitions"}) {
    if (key == known) return true;
  }
  return false;
}

}  // namespace

const OrderedJson* Find(const OrderedJson& schema, const std::string& key) {
  const auto found = schema.find(key);
  return found == schema.end() ? nullptr : &*found;
}

bool HasOnly(const OrderedJson& schema, std::initializer_list<std::string_view> keys) {
  if (!schema.is_object()) return false;
  for (const auto& [key, value] : schema.items()) {
    const std::string_view name = key;
    if (!IsAnnotation(name) && std::find(keys.begin(), keys.end(), name) == keys.end()) {
      return false;
    }
  }
  return true;
}

bool IsTextList(const OrderedJson* value) {
  return value != nullptr && value->is_array() &&
         std::all_of(value->begin(), value->end(), [](const auto& v) { return v.is_string(); });
}

bool IsType(const OrderedJson& schema, std::string_view type) {
  const OrderedJson* value = Find(schema, "type");
  return value != nullptr && value->is_string() && value->get_ref<const std::string&>() == type;
}

bool Holds(const OrderedJson& list, const OrderedJson& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

OrderedJson ValuesOf(const OrderedJson* schema, const FindSchema& find, int depth) {
  if (schema == nullptr || !schema->is_object() || depth > kReferencesDepthMax) return nullptr;
  if (const OrderedJson* value = Find(*schema, "const")) return OrderedJson::array({*value});
  if (const OrderedJson* values = Find(*schema, "enum")) {
    return values->is_array() ? *values : OrderedJson(nullptr);
  }
  if (IsType(*schema, "boolean")) return OrderedJson::array({false, true});
  const OrderedJson* reference = Find(*schema, "$ref");
  if (reference == nullptr || !reference->is_string()) return nullptr;
  return ValuesOf(find(reference->get<std::string>()), find, depth + 1);
}

std::optional<Names> TypesOf(const OrderedJson& value) {
  if (value.is_string()) return Names{value.get<std::string>()};
  if (!IsTextList(&value)) return std::nullopt;
  Names types;
  for (const OrderedJson& name : value) types.insert(name.get<std::string>());
  return types;
}

void AlsoRequire(OrderedJson& schema, OrderedJson assertion) {
  OrderedJson& all = schema["allOf"];
  if (all.is_null()) all = OrderedJson::array();
  if (all.is_array()) all.push_back(std::move(assertion));
}

OrderedJson WithProperty(const std::string& name, OrderedJson schema) {
  OrderedJson object = OrderedJson::object();
  object["properties"][name] = std::move(schema);
  return object;
}

OrderedJson WithKey(const std::string& key, OrderedJson value) {
  OrderedJson object = OrderedJson::object();
  object[key] = std::move(value);
  return object;
}

}  // namespace baton::schema
