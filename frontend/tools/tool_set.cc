#include "frontend/tools/tool_set.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"
#include "frontend/tools/json_reader.h"
#include "frontend/tools/json_schema.h"

namespace baton::frontend {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kToolsMax = 512;
constexpr size_t kNameBytesMax = 256;
constexpr std::string_view kNoParameters =
    R"({"type":"object","properties":{},"additionalProperties":false})";

// One JSON value of bounded depth and nothing else; discarded otherwise.
OrderedJson ReadBounded(std::string_view text) {
  JsonReader reader;
  std::string copy;
  bool only_a_value = true;
  for (size_t i = 0; only_a_value && i < text.size(); ++i) {
    const JsonReader::Step step = reader.Push(text[i], &copy);
    only_a_value = step == JsonReader::Step::kMore ||
                   (step == JsonReader::Step::kEnd &&
                    absl::StripAsciiWhitespace(ToAbsl(text.substr(i + 1))).empty());
    if (step == JsonReader::Step::kEnd) break;
  }
  if (!only_a_value || !reader.CompleteAtEnd()) {
    return OrderedJson(OrderedJson::value_t::discarded);
  }
  return OrderedJson::parse(copy, nullptr, /*allow_exceptions=*/false);
}

std::string Dump(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

absl::Status CheckName(const std::string& name, const std::string& path) {
  if (name.empty()) return InvalidArgument(absl::StrCat(path, ": a function needs a name"));
  if (name.size() > kNameBytesMax) {
    return InvalidArgument(absl::StrCat(path, ": longer than ", kNameBytesMax, " bytes"));
  }
  for (const char c : name) {
    const bool plain = static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\' && c != '<' &&
                       c != '>' && c != '{' && c != '}' && c != '\x7f';
    if (!plain) {
      return InvalidArgument(absl::StrCat(path,
                                          ": white space, quotes, brackets and backslashes "
                                          "cannot be part of a function's name"));
    }
  }
  return absl::OkStatus();
}

// True for a schema that names no parameter and says nothing of others: absent, null, {}, or an
// object without properties.
bool TakesNothing(const OrderedJson& parameters) {
  if (parameters.is_null()) return true;
  if (!parameters.is_object()) return false;
  for (const auto& [key, value] : parameters.items()) {
    const bool says_nothing = (key == "type" && value == "object") || key == "description" ||
                              key == "title" || key == "$schema" ||
                              (key == "additionalProperties" && value == false) ||
                              (key == "properties" && value.is_object() && value.empty()) ||
                              (key == "required" && value.is_array() && value.empty());
    if (!says_nothing) return false;
  }
  return true;
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (absl::EqualsIgnoreCase(ToAbsl(text), ToAbsl(word))) return true;
  }
  return false;
}

// A number as JSON, or nothing.
std::optional<std::string> NumberJson(std::string_view text, bool whole) {
  text = ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
  while (text.size() > 1 && text[0] == '0' && absl::ascii_isdigit(text[1])) text.remove_prefix(1);
  const OrderedJson value = ReadBounded(text);
  if (value.is_number_integer()) return Dump(value);
  if (!value.is_number_float() || !std::isfinite(value.get<double>())) return std::nullopt;
  const double number = value.get<double>();
  const bool is_whole = std::floor(number) == number && std::abs(number) < 9e15;
  if (is_whole) return absl::StrCat(static_cast<int64_t>(number));
  return whole ? std::nullopt : std::optional<std::string>(Dump(value));
}

std::optional<std::string> TypedJson(const SchemaTypes& types, std::string_view text) {
  const std::string_view word = ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
  if (types.null && IsOneOf(word, {"null", "none"})) return "null";
  if (types.integer) {
    if (auto number = NumberJson(word, true)) return number;
  }
  if (types.number) {
    if (auto number = NumberJson(word, false)) return number;
  }
  if (types.boolean) {
    if (IsOneOf(word, {"true", "1"})) return "true";
    if (IsOneOf(word, {"false", "0"})) return "false";
  }
  if (types.object || types.array) {
    const OrderedJson value = ReadBounded(word);
    if ((types.object && value.is_object()) || (types.array && value.is_array())) {
      return Dump(value);
    }
  }
  if (types.string) return std::nullopt;
  // Of none of the types: what it is by itself.
  const OrderedJson value = ReadBounded(word);
  return value.is_discarded() ? std::nullopt : std::optional<std::string>(Dump(value));
}

}  // namespace

struct ToolSet::Schemas {
  std::vector<OrderedJson> parameters;

  const OrderedJson* Property(size_t tool, std::string_view name) const {
    const OrderedJson& schema = parameters[tool];
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return nullptr;
    const auto it = properties->find(std::string(name));
    return it == properties->end() ? nullptr : &*it;
  }
};

ToolSet::ToolSet() : schemas_(std::make_shared<const Schemas>()) {}

absl::StatusOr<ToolSet> ToolSet::Parse(std::string_view tools_json) {
  const OrderedJson list = ReadBounded(tools_json);
  if (!list.is_array()) return InvalidArgument("tools: nested too deeply, or no list");
  if (list.size() > kToolsMax) {
    return InvalidArgument(absl::StrCat("tools: ", list.size(), " tools, at most ", kToolsMax));
  }
  ToolSet set;
  auto schemas = std::make_shared<Schemas>();
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = absl::StrCat("tools[", i, "].function");
    const auto function = list[i].find("function");
    if (!list[i].is_object() || function == list[i].end() || !function->is_object()) {
      return InvalidArgument(absl::StrCat(path, ": an object is expected"));
    }
    const auto name = function->find("name");
    const bool has_name = name != function->end() && name->is_string();
    Tool tool{.name = has_name ? name->get<std::string>() : "", .parameters_json = {}};
    RETURN_IF_ERROR(CheckName(tool.name, path + ".name"));
    const auto parameters = function->find("parameters");
    const bool takes_nothing = parameters == function->end() || TakesNothing(*parameters);
    OrderedJson schema = takes_nothing
                             ? OrderedJson::parse(kNoParameters.begin(), kNoParameters.end())
                             : *parameters;
    RETURN_IF_ERROR(CheckSchema(schema, path + ".parameters"));
    if (!schema.is_object()) {
      return InvalidArgument(absl::StrCat(path, ".parameters: a schema of an object is expected"));
    }
    const SchemaTypes types = TypesOf(schema, schema);
    if (types.any() && !types.object) {
      return InvalidArgument(absl::StrCat(path, ".parameters.type: arguments are an object"));
    }
    tool.parameters_json = Dump(schema);
    tool.takes_nothing = takes_nothing;
    const auto strict = function->find("strict");
    tool.strict = strict != function->end() && strict->is_boolean() && strict->get<bool>();
    set.tools_.push_back(std::move(tool));
    schemas->parameters.push_back(std::move(schema));
  }
  set.schemas_ = std::move(schemas);
  return set;
}

const ToolSet::Tool* ToolSet::Find(std::string_view name) const {
  for (const Tool& tool : tools_) {
    if (tool.name == name) return &tool;
  }
  return nullptr;
}

bool ToolSet::TakesText(std::string_view tool, std::string_view parameter) const {
  const Tool* found = Find(tool);
  if (found == nullptr) return true;
  const auto index = static_cast<size_t>(found - tools_.data());
  const OrderedJson* schema = schemas_->Property(index, parameter);
  if (schema == nullptr) return true;
  const SchemaTypes types = TypesOf(*schema, schemas_->parameters[index]);
  return !types.any() || types.only_string();
}

std::string ToolSet::ValueJson(std::string_view tool, std::string_view parameter,
                               std::string_view text) const {
  if (!TakesText(tool, parameter)) {
    const auto index = static_cast<size_t>(Find(tool) - tools_.data());
    const OrderedJson* schema = schemas_->Property(index, parameter);
    const SchemaTypes types = TypesOf(*schema, schemas_->parameters[index]);
    if (auto typed = TypedJson(types, text)) return *std::move(typed);
  }
  return QuoteJson(text);
}

bool ToolSet::Accepts(std::string_view tool, std::string_view arguments_json) const {
  const Tool* found = Find(tool);
  if (found == nullptr) return false;
  const OrderedJson arguments = ReadBounded(arguments_json);
  if (!arguments.is_object()) return false;
  const OrderedJson& schema = schemas_->parameters[static_cast<size_t>(found - tools_.data())];
  return SchemaAccepts(schema, arguments, schema);
}

}  // namespace baton::frontend
