#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace baton {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// What a document may cost. nlohmann crashes when it copies or frees a very deep one.
struct JsonLimits {
  size_t depth_max = 128;
  size_t bytes_max = size_t{64} << 20;
};

// Parses one document. Objects' keys are sorted; of equal keys the last counts.
// Errors: INVALID_ARGUMENT with line and column, never a piece of the text.
//
// Threading (whole header): any thread. Includers that touch a Json need <nlohmann/json.hpp>, in
// .cc files only.
absl::StatusOr<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// The same for documents whose keys mean something by their order, such as JSON schemas. Of equal
// keys the last counts, at the first one's place.
absl::StatusOr<OrderedJson> ParseOrderedJson(std::string_view text, const JsonLimits& limits = {});

// The reverse; invalid UTF-8 becomes U+FFFD. `indent` < 0: on one line.
std::string SerializeJson(const Json& value, int indent = -1);
std::string SerializeJson(const OrderedJson& value);

// `text` in quotes, escaped, for output that is put together by hand. Invalid UTF-8 as above.
std::string QuoteJson(std::string_view text);

// Typed members of an object. A null counts as absent.
// Errors: INVALID_ARGUMENT whose Field is the key, for a wrong type, a number out of range, or (the
// Get forms) an absent member, and for an `object` that is none.
absl::StatusOr<bool> GetBool(const Json& object, std::string_view key);
absl::StatusOr<int64_t> GetInt(const Json& object, std::string_view key);
absl::StatusOr<double> GetDouble(const Json& object, std::string_view key);
absl::StatusOr<std::string> GetString(const Json& object, std::string_view key);
// Pointers into `object`, never null.
absl::StatusOr<const Json*> GetArray(const Json& object, std::string_view key);
absl::StatusOr<const Json*> GetObject(const Json& object, std::string_view key);

absl::StatusOr<std::optional<bool>> FindBool(const Json& object, std::string_view key);
absl::StatusOr<std::optional<int64_t>> FindInt(const Json& object, std::string_view key);
absl::StatusOr<std::optional<double>> FindDouble(const Json& object, std::string_view key);
absl::StatusOr<std::optional<std::string>> FindString(const Json& object, std::string_view key);
// Null if absent.
absl::StatusOr<const Json*> FindArray(const Json& object, std::string_view key);
absl::StatusOr<const Json*> FindObject(const Json& object, std::string_view key);

}  // namespace baton
