#include "frontend/cli/dotted_flags.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/json/json.h"

namespace baton::frontend {
namespace {

using Json = nlohmann::json;

struct DottedFlag {
  std::string name;                  // --name
  std::vector<std::string> members;  // from the outside in
  bool appends = false;
  std::optional<std::string> value;  // behind '='
};

// Nothing for all other arguments.
std::optional<DottedFlag> ParseDotted(std::string_view argument) {
  if (!argument.starts_with('-')) return std::nullopt;
  const std::string_view named = argument.substr(0, argument.find('='));
  const size_t letters = named.find_first_not_of('-');
  const size_t dot = named.find('.');
  if (letters == std::string_view::npos || letters > 2 || dot == std::string_view::npos ||
      dot <= letters || (named[letters] >= '0' && named[letters] <= '9')) {
    return std::nullopt;
  }
  DottedFlag flag;
  flag.name = absl::StrCat("--", ToAbsl(named.substr(letters, dot - letters)));
  std::string_view path = named.substr(dot + 1);
  flag.appends = path.ends_with('+');
  if (flag.appends) path.remove_suffix(1);
  flag.members = absl::StrSplit(ToAbsl(path), '.');
  if (named.size() < argument.size()) flag.value = argument.substr(named.size() + 1);
  return flag;
}

Json ValueOf(const std::string& text) {
  auto parsed = ParseJson(text);
  return parsed.ok() ? *std::move(parsed) : Json(text);
}

absl::Status Store(const DottedFlag& flag, const std::string& text, Json& root) {
  Json* place = &root;
  for (const std::string& member : flag.members) {
    if (member.empty() || !(place->is_object() || place->is_null())) {
      return InvalidArgument(absl::StrCat("command line: ", flag.name, ".",
                                          absl::StrJoin(flag.members, "."),
                                          " is no member of an object"));
    }
    place = &(*place)[member];
  }
  if (!flag.appends) {
    *place = ValueOf(text);
    return absl::OkStatus();
  }
  if (!place->is_array()) *place = Json::array();
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    place->push_back(ValueOf(std::string(item)));
  }
  return absl::OkStatus();
}

// "-O3"; nothing for all other arguments.
std::optional<std::string> OptimizationLevel(std::string_view argument) {
  const bool is_level = argument.size() == 3 && argument.starts_with("-O") && argument[2] >= '0' &&
                        argument[2] <= '9';
  if (!is_level) return std::nullopt;
  return std::string(argument.substr(2));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FoldDottedFlags(std::span<const std::string> arguments) {
  std::vector<std::string> folded;
  std::vector<std::string> behind;  // from "--" on
  std::map<std::string, Json> objects;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      behind.assign(arguments.begin() + static_cast<ptrdiff_t>(i), arguments.end());
      break;
    }
    const std::optional<DottedFlag> flag = ParseDotted(arguments[i]);
    if (const auto level = OptimizationLevel(arguments[i])) {
      folded.insert(folded.end(), {"--optimization-level", *level});
    } else if (!flag.has_value()) {
      folded.push_back(arguments[i]);
    } else if (flag->value.has_value()) {
      RETURN_IF_ERROR(Store(*flag, *flag->value, objects[flag->name]));
    } else if (i + 1 < arguments.size()) {
      RETURN_IF_ERROR(Store(*flag, arguments[++i], objects[flag->name]));
    } else {
      return InvalidArgument(absl::StrCat("command line: ", arguments[i], " needs a value"));
    }
  }
  for (const auto& [name, object] : objects) {
    folded.insert(folded.end(),
                  {name, object.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }
  folded.insert(folded.end(), behind.begin(), behind.end());
  return folded;
}

}  // namespace baton::frontend
