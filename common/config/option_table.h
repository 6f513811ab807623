#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/config/option_value.h"

namespace baton {

// What a user reads and types of one option.
struct OptionSpec {
  std::string name;             // "max-model-len": the flag, the YAML key, BATON_MAX_MODEL_LEN
  std::string help;             // one sentence; shown by --help
  std::string value_name = {};  // "HOST:PORT"; empty: made from the type
  std::vector<std::string> aliases = {};  // other long names, or one letter for "-q"
  char separator = ',';  // splits one value of a list; '\n' where items may hold commas
  bool hidden = false;   // accepted, but not shown by --help
};

// The options of one binary: each a name, a help text and a field of its options struct. The
// field's value when it is added is the default; the table writes into it while loading.
//
//   RouterOptions options;
//   OptionTable table("baton-router", "Decides which worker serves a request.");
//   table.Add({.name = "listen", .help = "Address of the gRPC service."}, options.listen);
//   table.AddChoice({.name = "log-level", ...}, options.level, {{"info", LogLevel::kInfo}, ...});
//   ASSIGN_OR_RETURN(LoadedConfig loaded, LoadConfig(table, arguments, ProcessEnvironment()));
//
// Types: bool, integers, double, std::string, Duration ("500ms", "2s", "1m"), std::vector of
// strings (repeatable; one value may also hold several, split at the separator), std::optional of
// each.
//
// Threading: thread-compatible; used by main. Ownership: the fields outlive the table.
// Errors:    INVALID_ARGUMENT naming the option, the value and where it came from. A repeated name
//            in the table is our bug: CHECK.
class OptionTable {
 public:
  OptionTable(std::string program, std::string summary);

  template <typename T>
  void Add(OptionSpec spec, T& field) {
    Entry entry;
    entry.spec = std::move(spec);
    entry.type_name = OptionTypeName<T>();
    entry.default_text = OptionToText(field);
    entry.takes_value = !std::same_as<T, bool>;
    entry.repeatable = std::same_as<T, std::vector<std::string>>;
    entry.clear = [&field] { ClearOption(field); };
    if constexpr (std::same_as<T, std::vector<std::string>>) {
      entry.set = [&field, separator = entry.spec.separator](std::string_view text) {
        return ParseListOption(text, separator, field);
      };
    } else {
      entry.set = [&field](std::string_view text) { return ParseOption(text, field); };
    }
    AddEntry(std::move(entry));
  }

  // An option whose values are words, each standing for a value of an enum.
  template <typename Enum>
  void AddChoice(OptionSpec spec, Enum& field, std::vector<std::pair<std::string, Enum>> choices) {
    Entry entry;
    entry.spec = std::move(spec);
    std::vector<std::string> words;
    for (const auto& [word, value] : choices) {
      words.push_back(word);
      if (value == field) entry.default_text = word;
    }
    entry.type_name = JoinChoices(words);
    entry.set = [&field, choices = std::move(choices), words](std::string_view text) {
      for (const auto& [word, value] : choices) {
        if (word == text) {
          field = value;
          return absl::OkStatus();
        }
      }
      return ChoiceError(text, words);
    };
    AddEntry(std::move(entry));
  }

  // Names what may follow the options ("MODEL"); without it a positional argument is an error.
  void AllowPositional(std::string value_name, size_t count_max);

  // The text of --help: usage, options in the order they were added, defaults, environment.
  std::string HelpText() const;

  const std::string& program() const { return program_; }

 private:
  friend class ConfigLoader;

  struct Entry {
    OptionSpec spec;
    std::string type_name;
    std::string default_text;
    bool takes_value = true;
    bool repeatable = false;
    std::function<void()> clear = [] {};  // a higher source replaces all values of a lower one
    std::function<absl::Status(std::string_view)> set;
  };

  static std::string JoinChoices(const std::vector<std::string>& words);
  static absl::Status ChoiceError(std::string_view text, const std::vector<std::string>& words);

  void AddEntry(Entry entry);
  // Index of the entry with this name or alias, '_' read as '-'; empty if there is none.
  std::optional<size_t> Find(std::string_view name) const;
  // "unknown option: --max-modle-len; did you mean --max-model-len?"
  absl::Status UnknownOption(std::string_view name, std::string_view where) const;

  const std::string program_;
  const std::string summary_;
  std::string positional_name_;
  size_t positional_max_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace baton
