#include "common/json/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

// Builds the document, but stops at the depth limit and remembers where an error is without
// nlohmann's message, which quotes the input.
template <typename Document>
class LimitedBuilder : public nlohmann::detail::json_sax_dom_parser<Document> {
  using DomBuilder = nlohmann::detail::json_sax_dom_parser<Document>;

 public:
  LimitedBuilder(Document& root, size_t depth_max)
      : DomBuilder(root, /*allow_exceptions=*/false), depth_max_(depth_max) {}

  bool start_object(size_t size) { return Enter() && DomBuilder::start_object(size); }
  bool start_array(size_t size) { return Enter() && DomBuilder::start_array(size); }
  bool end_object() {
    --depth_;
    return DomBuilder::end_object();
  }
  bool end_array() {
    --depth_;
    return DomBuilder::end_array();
  }
  template <typename Exception>
  bool parse_error(size_t position, const std::string&, const Exception&) {
    error_position_ = position;
    return false;
  }

  bool too_deep() const { return too_deep_; }
  size_t error_position() const { return error_position_; }

 private:
  bool Enter() {
    too_deep_ = ++depth_ > depth_max_;
    return !too_deep_;
  }

  const size_t depth_max_;
  size_t depth_ = 0;
  size_t error_position_ = 0;
  bool too_deep_ = false;
};

std::string Place(std::string_view text, size_t position) {
  const std::string_view before = text.substr(0, position > 0 ? position - 1 : 0);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n');
  const size_t column =
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return absl::StrCat("line ", line, ", column ", column + 1);
}

absl::Status WrongType(std::string_view key, std::string_view expected) {
  return WithField(InvalidArgument(absl::StrCat("'", ToAbsl(key), "' must be ", ToAbsl(expected))),
                   key);
}

absl::Status Missing(std::string_view key) {
  return WithField(InvalidArgument(absl::StrCat("'", ToAbsl(key), "' is missing")), key);
}

// Null if absent or null.
absl::StatusOr<const Json*> FindMember(const Json& object, std::string_view key) {
  if (!object.is_object()) {
    return InvalidArgument(absl::StrCat("'", ToAbsl(key), "': its parent is no object"));
  }
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return nullptr;
  return &*found;
}

// Turns the answer of a Find into that of a Get.
template <typename T>
absl::StatusOr<T> Required(absl::StatusOr<std::optional<T>> found, std::string_view key) {
  if (!found.ok()) return found.status();
  if (!found->has_value()) return Missing(key);
  return *std::move(*found);
}

absl::StatusOr<const Json*> Required(absl::StatusOr<const Json*> found, std::string_view key) {
  if (found.ok() && *found == nullptr) return Missing(key);
  return found;
}

template <typename Document>
absl::StatusOr<Document> Parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return InvalidArgument(
        absl::StrCat("parse JSON: ", text.size(), " bytes, limit ", limits.bytes_max));
  }
  Document root;
  LimitedBuilder<Document> builder(root, limits.depth_max);
  if (Document::sax_parse(text.begin(), text.end(), &builder)) return root;
  if (builder.too_deep()) {
    return InvalidArgument(absl::StrCat("parse JSON: nested deeper than ", limits.depth_max));
  }
  return InvalidArgument(
      absl::StrCat("parse JSON: invalid at ", Place(text, builder.error_position())));
}

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  return Parse<Json>(text, limits);
}

absl::StatusOr<OrderedJson> ParseOrderedJson(std::string_view text, const JsonLimits& limits) {
  return Parse<OrderedJson>(text, limits);
}

std::string SerializeJson(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string SerializeJson(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string QuoteJson(std::string_view text) { return SerializeJson(Json(text)); }

absl::StatusOr<std::optional<bool>> FindBool(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member == nullptr) return std::optional<bool>();
  if (!member->is_boolean()) return WrongType(key, "a boolean");
  return std::optional<bool>(member->get<bool>());
}

absl::StatusOr<std::optional<int64_t>> FindInt(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member == nullptr) return std::optional<int64_t>();
  if (member->is_number_unsigned() &&
      member->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return WrongType(key, "a 64-bit integer");
  }
  if (member->is_number_integer()) return std::optional<int64_t>(member->get<int64_t>());
  if (member->is_number_float()) {  // 1.0 and 1e3 are integers to a JSON writer
    const double number = member->get<double>();
    if (std::nearbyint(number) == number && std::fabs(number) < 9e15) {
      return std::optional<int64_t>(static_cast<int64_t>(number));
    }
  }
  return WrongType(key, "an integer");
}

absl::StatusOr<std::optional<double>> FindDouble(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member == nullptr) return std::optional<double>();
  if (!member->is_number()) return WrongType(key, "a number");
  return std::optional<double>(member->get<double>());
}

absl::StatusOr<std::optional<std::string>> FindString(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member == nullptr) return std::optional<std::string>();
  if (!member->is_string()) return WrongType(key, "a string");
  return std::optional<std::string>(member->get_ref<const std::string&>());
}

absl::StatusOr<const Json*> FindArray(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member != nullptr && !member->is_array()) return WrongType(key, "an array");
  return member;
}

absl::StatusOr<const Json*> FindObject(const Json& object, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* member, FindMember(object, key));
  if (member != nullptr && !member->is_object()) return WrongType(key, "an object");
  return member;
}

absl::StatusOr<bool> GetBool(const Json& object, std::string_view key) {
  return Required(FindBool(object, key), key);
}
absl::StatusOr<int64_t> GetInt(const Json& object, std::string_view key) {
  return Required(FindInt(object, key), key);
}
absl::StatusOr<double> GetDouble(const Json& object, std::string_view key) {
  return Required(FindDouble(object, key), key);
}
absl::StatusOr<std::string> GetString(const Json& object, std::string_view key) {
  return Required(FindString(object, key), key);
}
absl::StatusOr<const Json*> GetArray(const Json& object, std::string_view key) {
  return Required(FindArray(object, key), key);
}
absl::StatusOr<const Json*> GetObject(const Json& object, std::string_view key) {
  return Required(FindObject(object, key), key);
}

}  // namespace baton
