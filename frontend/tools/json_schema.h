// Just enough of JSON Schema to say whether arguments fit a tool, and whether a schema makes sense.
//
// What the check does not know (formats, conditions, remote references) it takes as satisfied: it
// decides what looks like a call, while constraints (common/constraint) enforce.
//
// Threading: pure functions. Bounds: schemas and values deeper than 96 levels fail; references are
// followed 32 deep.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"

namespace baton::frontend {

// INVALID_ARGUMENT for a schema that no validator would take: "<path>: <what is wrong>".
absl::Status CheckSchema(const nlohmann::ordered_json& schema, const std::string& path);

// `root` is what local references point into.
bool SchemaAccepts(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& value,
                   const nlohmann::ordered_json& root);

// Bits of the types that a schema allows by type, enum, const and its alternatives.
struct SchemaTypes {
  bool null = false, boolean = false, integer = false, number = false;
  bool string = false, array = false, object = false;
  bool any() const { return null || boolean || integer || number || string || array || object; }
  bool only_string() const {
    return string && !(null || boolean || integer || number || array || object);
  }
};
SchemaTypes TypesOf(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& root);

}  // namespace baton::frontend
