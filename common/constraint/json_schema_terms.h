// What one JSON schema says, and schemas that say more: the words in which schemas are rewritten.
//
// Threading: pure functions, any thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace baton {

// What a reference in the document points to; null where it cannot be told.
using FindSchema = std::function<const OrderedJson*(const std::string& reference)>;

namespace schema {

using Names = std::set<std::string>;

constexpr int kReferencesDepthMax = 16;  // of references within references

// What the schema has under a keyword; null: nothing.
const OrderedJson* Find(const OrderedJson& schema, const std::string& key);
// Whether the schema says nothing but by these keywords, annotations aside.
bool HasOnly(const OrderedJson& schema, std::initializer_list<std::string_view> keys);
bool IsTextList(const OrderedJson* value);
// Whether the schema names this type and no other.
bool IsType(const OrderedJson& schema, std::string_view type);
// The names in the value of `type`; absent if it is malformed.
std::optional<Names> TypesOf(const OrderedJson& value);
bool Holds(const OrderedJson& list, const OrderedJson& value);
// The values that a schema admits, where it lists them; null otherwise.
OrderedJson ValuesOf(const OrderedJson* schema, const FindSchema& find, int depth = 0);

// Adds an assertion to what the schema asserts.
void AlsoRequire(OrderedJson& schema, OrderedJson assertion);
OrderedJson WithKey(const std::string& key, OrderedJson value);
OrderedJson WithProperty(const std::string& name, OrderedJson schema);

}  // namespace schema
}  // namespace baton
