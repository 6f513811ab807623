#include "common/constraint/constraint_spec.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

void AppendPart(std::string_view part, std::string& key) {
  absl::StrAppend(&key, part.size(), ":");
  key.append(part);
}

}  // namespace

std::string GrammarKey(const ConstraintSpec& spec) {
  std::string key = absl::StrCat(static_cast<int>(spec.kind), spec.layout.compact ? "c" : "",
                                 spec.layout.closed_objects ? "o" : "", ";");
  AppendPart(spec.text, key);
  AppendPart(spec.start_after_text, key);
  if (spec.layout.whitespace_pattern.has_value()) AppendPart(*spec.layout.whitespace_pattern, key);
  key.push_back(';');
  for (const std::string& choice : spec.choices) AppendPart(choice, key);
  return key;
}

}  // namespace baton
