#include "common/config/option_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/strings.h"
#include "common/config/edit_distance.h"

namespace baton {
namespace {

constexpr size_t kHelpColumn = 34;

std::string WithDashes(std::string_view name) {
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return dashed;
}

// "  --name VALUE           help", the help on its own line where the name is too long.
void AppendHelpLine(std::string& text, const std::string& left, const std::string& right) {
  absl::StrAppend(&text, "  ", left);
  const size_t used = left.size() + 2;
  if (used + 2 > kHelpColumn) {
    absl::StrAppend(&text, "\n", std::string(kHelpColumn, ' '));
  } else {
    text.append(kHelpColumn - used, ' ');
  }
  absl::StrAppend(&text, right, "\n");
}

}  // namespace

OptionTable::OptionTable(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

void OptionTable::AddEntry(Entry entry) {
  BATON_CHECK(!Find(entry.spec.name)) << "option --" << entry.spec.name << " is there already";
  for (const std::string& alias : entry.spec.aliases) {
    BATON_CHECK(!Find(alias)) << "option alias " << alias << " is there already";
  }
  if (entry.spec.value_name.empty()) entry.spec.value_name = entry.type_name;
  entries_.push_back(std::move(entry));
}

void OptionTable::AllowPositional(std::string value_name, size_t count_max) {
  positional_name_ = std::move(value_name);
  positional_max_ = count_max;
}

std::optional<size_t> OptionTable::Find(std::string_view name) const {
  const std::string dashed = WithDashes(name);
  for (size_t i = 0; i < entries_.size(); ++i) {
    const OptionSpec& spec = entries_[i].spec;
    if (spec.name == dashed) return i;
    if (std::find(spec.aliases.begin(), spec.aliases.end(), dashed) != spec.aliases.end()) return i;
  }
  return std::nullopt;
}

absl::Status OptionTable::UnknownOption(std::string_view name, std::string_view where) const {
  std::vector<std::string> known = {"config", "help", "version"};
  for (const Entry& entry : entries_) {
    known.push_back(entry.spec.name);
    known.insert(known.end(), entry.spec.aliases.begin(), entry.spec.aliases.end());
  }
  const std::string nearest = NearestName(WithDashes(name), known);
  return InvalidArgument(absl::StrCat(ToAbsl(where), ": unknown option '", ToAbsl(name), "'",
                                      nearest.empty() ? "" : "; did you mean '", nearest,
                                      nearest.empty() ? "" : "'?"));
}

std::string OptionTable::JoinChoices(const std::vector<std::string>& words) {
  return absl::StrJoin(words, "|");
}

absl::Status OptionTable::ChoiceError(std::string_view text,
                                      const std::vector<std::string>& words) {
  const std::string nearest = NearestName(text, words);
  return InvalidArgument(absl::StrCat("expected one of ", absl::StrJoin(words, ", "),
                                      nearest.empty() ? "" : "; did you mean '", nearest,
                                      nearest.empty() ? "" : "'?"));
}

std::string OptionTable::HelpText() const {
  std::string text =
      absl::StrCat(summary_, "\n\nUsage: ", program_, " [options]",
                   positional_name_.empty() ? "" : " ", positional_name_, "\n\nOptions:\n");
  for (const Entry& entry : entries_) {
    if (entry.spec.hidden) continue;
    std::string left;
    for (const std::string& alias : entry.spec.aliases) {
      if (alias.size() == 1) absl::StrAppend(&left, "-", alias, ", ");
    }
    absl::StrAppend(&left, "--", entry.spec.name);
    if (entry.takes_value) absl::StrAppend(&left, " ", entry.spec.value_name);
    std::string right = entry.spec.help;
    if (entry.repeatable) absl::StrAppend(&right, " May be repeated.");
    for (const std::string& alias : entry.spec.aliases) {
      if (alias.size() > 1) absl::StrAppend(&right, " Also --", alias, ".");
    }
    if (!entry.default_text.empty() && (entry.takes_value || entry.default_text == "true")) {
      absl::StrAppend(&right, " [", entry.default_text, "]");
    }
    AppendHelpLine(text, left, right);
  }
  AppendHelpLine(text, "--config FILE", "YAML file with the same names as keys.");
  AppendHelpLine(text, "--help, --version", "Print this, or the version, and exit.");
  absl::StrAppend(&text,
                  "\nEach option can also be set as BATON_<NAME> in the environment, with '_' for "
                  "'-'.\nFlags win over the environment, which wins over the file.\n");
  return text;
}

}  // namespace baton
