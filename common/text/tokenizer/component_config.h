// A component of tokenizer.json (normalizer, pre-tokenizer, …) as its factory sees it: typed
// fields, and errors that say where in the file they are.
//
//   ASSIGN_OR_RETURN(bool individual, config.BoolOr("individual_digits", false));
//
// Threading: immutable. Ownership: a view of a parsed document that outlives it.
// Errors:    INVALID_ARGUMENT with the path ("pre_tokenizer.pretokenizers[0].behavior").
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

class ComponentConfig {
 public:
  ComponentConfig(const nlohmann::json& json, std::string path) : ComponentConfig(json, path, 0) {}

  bool IsNull() const;
  bool Has(std::string_view key) const;  // present and not null
  absl::StatusOr<std::string> Type() const;
  absl::StatusOr<bool> BoolOr(std::string_view key, bool fallback) const;
  absl::StatusOr<int64_t> Int(std::string_view key) const;
  absl::StatusOr<int64_t> IntOr(std::string_view key, int64_t fallback) const;
  absl::StatusOr<std::string> String(std::string_view key) const;
  absl::StatusOr<std::string> StringOr(std::string_view key, std::string_view fallback) const;

  // A string of one character.
  absl::StatusOr<std::string> Char(std::string_view key) const;

  // An array of a token and its id.
  absl::StatusOr<int64_t> IdOfPair(std::string_view key) const;

  // A member that is an object, or an array of objects. Refused beyond a nesting of 16.
  absl::StatusOr<ComponentConfig> Object(std::string_view key) const;
  absl::StatusOr<std::vector<ComponentConfig>> List(std::string_view key) const;
  absl::StatusOr<std::vector<int64_t>> Ints(std::string_view key) const;

  const std::string& path() const { return path_; }

  // "<path>: <what>", as INVALID_ARGUMENT or UNIMPLEMENTED.
  absl::Status Invalid(std::string_view what) const;
  absl::Status Unsupported(std::string_view what) const;

 private:
  ComponentConfig(const nlohmann::json& json, std::string path, int depth)
      : json_(&json), path_(std::move(path)), depth_(depth) {}
  const nlohmann::json* Find(std::string_view key) const;  // nullptr when absent or null
  absl::Status WrongType(std::string_view key, std::string_view expected) const;

  const nlohmann::json* json_;
  std::string path_;
  int depth_;
};

}  // namespace baton
