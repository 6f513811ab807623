#include "common/config/config_source.h"

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"

namespace baton {
namespace {

bool LooksLikeFlag(std::string_view argument) { return argument.size() > 1 && argument[0] == '-'; }

// A scalar as JSON: what is quoted, or no word or number of JSON, is a string.
std::string ScalarToJson(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  double number = 0;
  if (text.empty()) return "\"\"";
  const bool is_plain = node.Tag() != "!";
  const bool is_word = text == "true" || text == "false" || text == "null";
  const bool is_number = absl::ascii_isdigit(static_cast<unsigned char>(text.back())) &&
                         text.find_first_not_of("+-.eE0123456789") == std::string::npos &&
                         text.front() != '+' && text.front() != '.' &&
                         absl::SimpleAtod(text, &number);
  if (is_plain && (is_word || is_number)) return text;
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", c);
    } else {
      json += c;
    }
  }
  return json + "\"";
}

// What stands in a file as a map, for an option that is JSON on the command line.
std::string ToJson(const YAML::Node& node) {
  std::vector<std::string> parts;
  if (node.IsNull()) return "null";
  if (node.IsScalar()) return ScalarToJson(node);
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) parts.push_back(ToJson(item));
    return absl::StrCat("[", absl::StrJoin(parts, ","), "]");
  }
  for (const auto& pair : node) {
    YAML::Node key = pair.first;
    key.SetTag("!");
    parts.push_back(absl::StrCat(ToJson(key), ":", ToJson(pair.second)));
  }
  return absl::StrCat("{", absl::StrJoin(parts, ","), "}");
}

}  // namespace

// Applies one source after another to a table, lowest first.
class ConfigLoader {
 public:
  explicit ConfigLoader(const OptionTable& table) : table_(table) {}

  // Splits the command line into options, in order, and the rest; applies nothing.
  absl::Status ReadFlags(std::span<const std::string> arguments);

  absl::Status ApplyFile(const std::string& path);
  absl::Status ApplyEnvironment(const Environment& environment);
  absl::Status ApplyFlags();

  const std::optional<std::string>& config_path() const { return config_path_; }
  LoadedConfig TakeLoaded() { return std::move(loaded_); }
  LoadedConfig::Action action() const { return loaded_.action; }

 private:
  using Entry = OptionTable::Entry;

  struct Flag {
    size_t entry;
    std::string value;
    std::string shown;  // as typed
  };

  // Reads the option at arguments[index]; returns the index of the next argument.
  absl::StatusOr<size_t> ReadFlag(std::span<const std::string> arguments, size_t index);
  absl::StatusOr<size_t> ReadNamedFlag(std::span<const std::string> arguments, size_t index,
                                       std::string_view name,
                                       std::optional<std::string> inline_value);
  absl::Status AddPositional(const std::string& argument);
  absl::Status ApplyNode(const std::string& path, const std::string& key, const YAML::Node& node);
  absl::Status Set(const Entry& entry, std::string_view value, const std::string& where);

  const OptionTable& table_;
  std::vector<Flag> flags_;
  std::optional<std::string> config_path_;
  LoadedConfig loaded_;
};

absl::Status ConfigLoader::Set(const Entry& entry, std::string_view value,
                               const std::string& where) {
  const absl::Status status = entry.set(value);
  if (status.ok()) return status;
  return Annotate(status, absl::StrCat(where, ": bad value '", ToAbsl(value), "'"));
}

absl::Status ConfigLoader::AddPositional(const std::string& argument) {
  if (loaded_.positional.size() >= table_.positional_max_) {
    return InvalidArgument(absl::StrCat("command line: unexpected argument '", argument, "'"));
  }
  loaded_.positional.push_back(argument);
  return absl::OkStatus();
}

absl::Status ConfigLoader::ReadFlags(std::span<const std::string> arguments) {
  size_t index = 0;
  while (index < arguments.size()) {
    const std::string& argument = arguments[index];
    if (argument == "--") {
      for (++index; index < arguments.size(); ++index) {
        RETURN_IF_ERROR(AddPositional(arguments[index]));
      }
    } else if (LooksLikeFlag(argument)) {
      ASSIGN_OR_RETURN(index, ReadFlag(arguments, index));
    } else {
      RETURN_IF_ERROR(AddPositional(argument));
      ++index;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> ConfigLoader::ReadFlag(std::span<const std::string> arguments,
                                              size_t index) {
  std::string_view text = arguments[index];
  text.remove_prefix(text.starts_with("--") ? 2 : 1);
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  std::optional<std::string> inline_value;
  if (equals != std::string_view::npos) inline_value = std::string(text.substr(equals + 1));
  if (name == "help" || name == "version" || (name == "h" && !table_.Find("h"))) {
    loaded_.action =
        name == "version" ? LoadedConfig::Action::kShowVersion : LoadedConfig::Action::kShowHelp;
    return index + 1;
  }
  if (name == "config") {
    if (!inline_value && index + 1 == arguments.size()) {
      return InvalidArgument("command line: --config needs a value");
    }
    config_path_ = inline_value ? *inline_value : arguments[index + 1];
    return index + (inline_value ? 1 : 2);
  }
  return ReadNamedFlag(arguments, index, name, std::move(inline_value));
}

absl::StatusOr<size_t> ConfigLoader::ReadNamedFlag(std::span<const std::string> arguments,
                                                   size_t index, std::string_view name,
                                                   std::optional<std::string> inline_value) {
  const std::string& shown = arguments[index];
  std::optional<size_t> found = table_.Find(name);
  if (!found && (name.starts_with("no-") || name.starts_with("no_")) && !inline_value) {
    found = table_.Find(name.substr(3));
    if (found && !table_.entries_[*found].takes_value) {
      flags_.push_back({*found, "false", shown});
      return index + 1;
    }
    found.reset();
  }
  if (!found) return table_.UnknownOption(name, "command line");
  const Entry& entry = table_.entries_[*found];
  if (inline_value) {
    flags_.push_back({*found, *inline_value, absl::StrCat("--", entry.spec.name)});
    return index + 1;
  }
  if (!entry.takes_value) {
    flags_.push_back({*found, "true", shown});
    return index + 1;
  }
  if (index + 1 == arguments.size()) {
    return InvalidArgument(absl::StrCat("command line: ", shown, " needs a value"));
  }
  size_t next = index + 1;
  do {
    flags_.push_back({*found, arguments[next++], shown});
  } while (entry.repeatable && next < arguments.size() && !LooksLikeFlag(arguments[next]));
  return next;
}

absl::Status ConfigLoader::ApplyFlags() {
  std::vector<bool> cleared(table_.entries_.size(), false);
  for (const Flag& flag : flags_) {
    const Entry& entry = table_.entries_[flag.entry];
    if (!cleared[flag.entry]) entry.clear();
    cleared[flag.entry] = true;
    RETURN_IF_ERROR(Set(entry, flag.value, absl::StrCat("command line: ", flag.shown)));
  }
  return absl::OkStatus();
}

absl::Status ConfigLoader::ApplyEnvironment(const Environment& environment) {
  for (const Entry& entry : table_.entries_) {
    std::string variable = absl::StrCat("BATON_", absl::AsciiStrToUpper(entry.spec.name));
    for (char& c : variable) c = c == '-' ? '_' : c;
    const std::optional<std::string> value = environment(variable);
    if (!value) continue;
    entry.clear();
    RETURN_IF_ERROR(Set(entry, *value, absl::StrCat("environment: ", variable)));
  }
  return absl::OkStatus();
}

absl::Status ConfigLoader::ApplyNode(const std::string& path, const std::string& key,
                                     const YAML::Node& node) {
  const std::optional<size_t> found = table_.Find(key);
  const std::string where = absl::StrCat(path, ":", node.Mark().line + 1, ": ", key);
  if (!found) return table_.UnknownOption(key, path);
  const Entry& entry = table_.entries_[*found];
  entry.clear();
  if (node.IsScalar()) return Set(entry, node.Scalar(), where);
  if (node.IsMap() && !entry.repeatable) return Set(entry, ToJson(node), where);
  if (!node.IsSequence() || !entry.repeatable) {
    return InvalidArgument(
        absl::StrCat(where, ": expected ", entry.repeatable ? "a value or a list" : "one value"));
  }
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) return InvalidArgument(absl::StrCat(where, ": expected plain values"));
    RETURN_IF_ERROR(Set(entry, item.Scalar(), where));
  }
  return absl::OkStatus();
}

absl::Status ConfigLoader::ApplyFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return NotFound(absl::StrCat("config file: cannot read ", path));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  try {  // yaml-cpp reports by exception only; none leaves this function
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return absl::OkStatus();
    if (!root.IsMap()) return InvalidArgument(absl::StrCat(path, ": expected a map of options"));
    for (const auto& pair : root) {
      if (!pair.first.IsScalar()) return InvalidArgument(absl::StrCat(path, ": bad key"));
      RETURN_IF_ERROR(ApplyNode(path, pair.first.Scalar(), pair.second));
    }
  } catch (const YAML::Exception& error) {
    return InvalidArgument(absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg));
  }
  return absl::OkStatus();
}

absl::StatusOr<LoadedConfig> LoadConfig(const OptionTable& table,
                                        std::span<const std::string> arguments,
                                        const Environment& environment) {
  ConfigLoader loader(table);
  RETURN_IF_ERROR(loader.ReadFlags(arguments));
  if (loader.action() != LoadedConfig::Action::kRun) return loader.TakeLoaded();
  std::optional<std::string> path = loader.config_path();
  if (!path) path = environment("BATON_CONFIG");
  if (path && !path->empty()) RETURN_IF_ERROR(loader.ApplyFile(*path));
  RETURN_IF_ERROR(loader.ApplyEnvironment(environment));
  RETURN_IF_ERROR(loader.ApplyFlags());
  return loader.TakeLoaded();
}

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::vector<std::string> ArgumentsOfMain(int argc, char** argv) {
  return std::vector<std::string>(argv + 1, argv + argc);
}

}  // namespace baton
