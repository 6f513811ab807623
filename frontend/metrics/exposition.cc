#include "frontend/metrics/exposition.h"

#include <map>

namespace baton::frontend {
namespace {

struct Family {
  std::string help_line;
  std::string type_line;
  std::string samples;
};

// The family that a line belongs to: lines of a family stand together, under its HELP or TYPE.
std::string_view CommentedName(std::string_view line) {
  // "# HELP name text" or "# TYPE name kind"
  const std::string_view rest = line.substr(7);
  return rest.substr(0, rest.find(' '));
}

bool BeginsWith(std::string_view line, std::string_view prefix) {
  return line.substr(0, prefix.size()) == prefix;
}

void AppendSample(std::string_view line, std::string_view component, std::string* out) {
  const size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos) return;
  *out += line.substr(0, end);
  *out += "{component=\"";
  *out += component;
  *out += '"';
  if (line[end] == '{') {
    if (line.substr(end + 1, 1) != "}") *out += ',';
    *out += line.substr(end + 1);
  } else {
    *out += '}';
    *out += line.substr(end);
  }
  *out += '\n';
}

void AddPage(const ExpositionPage& page, std::map<std::string, Family, std::less<>>& families) {
  Family* family = nullptr;
  std::string_view rest = page.text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const bool is_help = BeginsWith(line, "# HELP ");
    if (is_help || BeginsWith(line, "# TYPE ")) {
      family = &families[std::string(CommentedName(line))];
      std::string& kept = is_help ? family->help_line : family->type_line;
      if (kept.empty()) kept = std::string(line) + "\n";
    } else if (!line.empty() && line[0] != '#' && family != nullptr) {
      AppendSample(line, page.component, &family->samples);
    }
  }
}

}  // namespace

std::string MergeExpositions(const std::vector<ExpositionPage>& pages) {
  std::map<std::string, Family, std::less<>> families;
  for (const ExpositionPage& page : pages) AddPage(page, families);
  std::string merged;
  for (const auto& [name, family] : families) {
    merged += family.help_line;
    merged += family.type_line;
    merged += family.samples;
  }
  return merged;
}

}  // namespace baton::frontend
