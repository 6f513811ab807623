// JSON files of checkpoints, read without trust: size and depth are bounded, a key that appears
// twice is an error, and typed access names file and key when something is not as expected.
//
//   ASSIGN_OR_RETURN(JsonConfig config, JsonConfig::Parse(text, "config.json"));
//   ASSIGN_OR_RETURN(int64_t layers, config.GetInt("num_hidden_layers"));
//   ASSIGN_OR_RETURN(double theta, config.GetFloatOr("rope_theta", 10000.0));
//
// Threading: immutable. Ownership: shared by the copies and sub-objects of a config.
// Errors:    INVALID_ARGUMENT for malformed text or a value of another type; NOT_FOUND for a key
//            that must be there. A null value counts as absent, as in Hugging Face configs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton::worker {

inline constexpr size_t kJsonBytesMax = size_t{256} << 20;
inline constexpr int kJsonDepthMax = 32;

// Parses `text`, whose top must be an object. `source` names it in errors.
absl::StatusOr<nlohmann::json> ParseJsonObject(std::string_view text, std::string_view source);

class JsonConfig {
 public:
  static absl::StatusOr<JsonConfig> Parse(std::string_view text, std::string source);

  // An object without keys.
  static JsonConfig Empty(std::string source);

  // The same with the keys of `defaults`, a JSON object, that it lacks; null is a value, too.
  JsonConfig WithDefaults(std::string_view defaults) const;

  const std::string& source() const { return source_; }
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  std::vector<std::string> Keys() const;

  absl::StatusOr<int64_t> GetInt(std::string_view key) const;
  absl::StatusOr<int64_t> GetIntOr(std::string_view key, int64_t fallback) const;
  absl::StatusOr<double> GetFloat(std::string_view key) const;  // integers too
  absl::StatusOr<double> GetFloatOr(std::string_view key, double fallback) const;
  absl::StatusOr<bool> GetBoolOr(std::string_view key, bool fallback) const;
  absl::StatusOr<std::string> GetString(std::string_view key) const;
  absl::StatusOr<std::string> GetStringOr(std::string_view key, std::string_view fallback) const;

  // One integer or a list of them; empty when absent.
  absl::StatusOr<std::vector<int64_t>> GetInts(std::string_view key) const;
  absl::StatusOr<std::vector<double>> GetFloats(std::string_view key) const;
  absl::StatusOr<std::vector<std::string>> GetStrings(std::string_view key) const;

  // The object under `key`; nullopt when absent.
  absl::StatusOr<std::optional<JsonConfig>> GetObject(std::string_view key) const;

 private:
  JsonConfig(std::shared_ptr<const nlohmann::json> root, const nlohmann::json* object,
             std::string source);

  const nlohmann::json* Find(std::string_view key) const;
  absl::Status Missing(std::string_view key) const;
  absl::Status WrongType(std::string_view key, std::string_view expected) const;

  std::shared_ptr<const nlohmann::json> root_;
  const nlohmann::json* object_;
  std::string source_;
};

}  // namespace baton::worker
