// The lint test: what STYLE asks and a machine can see. The lists beside it may only shrink.
#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/tidy/function_lengths.h"
#include "tests/tidy/source_tree.h"

namespace baton::tidy {
namespace {

const std::string kRoot = BATON_SOURCE_DIR;

const std::vector<SourceFile>& Tree() {
  static const std::vector<SourceFile> tree = LoadSourceTree(kRoot);
  return tree;
}

int LineCount(const SourceFile& file) { return static_cast<int>(file.lines.size()) - 1; }

int Percentile(std::vector<int> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(p * static_cast<double>(values.size() - 1))];
}

TEST(Tidy, FilesStayWithinTheirLength) {
  std::vector<int> headers;
  std::vector<int> sources;
  for (const SourceFile& file : Tree()) {
    int cap = file.is_header() ? 400 : 700;
    if (file.path.ends_with("_cuda.cu")) cap = 900;
    if (file.is_test()) cap = 1000;
    EXPECT_LE(LineCount(file), cap) << file.path << ": where is the seam?";
    if (file.is_test()) continue;
    (file.is_header() ? headers : sources).push_back(LineCount(file));
  }
  EXPECT_LE(Percentile(headers, 0.5), 90) << "median header";
  EXPECT_LE(Percentile(headers, 0.9), 250) << "p90 header";
  EXPECT_LE(Percentile(sources, 0.5), 160) << "median source";
  EXPECT_LE(Percentile(sources, 0.9), 450) << "p90 source";
}

TEST(Tidy, FunctionsStayWithinTheirLength) {
  const std::vector<std::string> listed = ReadList(kRoot + "/tests/tidy/long_functions.txt");
  std::set<std::string> unused(listed.begin(), listed.end());
  std::vector<int> lengths;
  for (const SourceFile& file : Tree()) {
    for (const FunctionBody& body : FindFunctions(file)) {
      if (!file.is_test()) lengths.push_back(body.line_count);
      if (body.line_count <= 70) continue;
      const std::string entry = file.path + " " + body.name;
      EXPECT_TRUE(unused.erase(entry) > 0)
          << file.path << ":" << body.first_line << ": " << body.name << " has " << body.line_count
          << " lines, 70 are allowed";
    }
  }
  EXPECT_LE(Percentile(lengths, 0.9), 40) << "p90 function";
  EXPECT_TRUE(unused.empty()) << "long_functions.txt lists what is no longer long: "
                              << absl::StrJoin(unused, ", ");
}

// layers.txt: `folder: allowed folders…`; a folder may always include itself and common/base.
std::map<std::string, std::set<std::string>> ReadLayers() {
  std::map<std::string, std::set<std::string>> layers;
  for (const std::string& line : ReadList(kRoot + "/tests/tidy/layers.txt")) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    const std::vector<std::string> allowed = absl::StrSplit(parts.second, ' ', absl::SkipEmpty());
    layers[parts.first].insert(allowed.begin(), allowed.end());
  }
  return layers;
}

std::string IncludedFolder(const std::string& include) {
  return SourceFile{.path = include, .text = {}, .lines = {}, .code = {}, .code_lines = {}}
      .folder();
}

bool IsOurs(const std::string& include) {
  return include.starts_with("common/") || include.starts_with("frontend/") ||
         include.starts_with("router/") || include.starts_with("worker/");
}

// The quoted includes of a file, with their line numbers.
std::vector<std::pair<int, std::string>> Includes(const SourceFile& file) {
  static const std::regex pattern(R"re(^#include ["<]([^">]+)[">])re");
  std::vector<std::pair<int, std::string>> includes;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(file.lines[i], match, pattern)) {
      includes.emplace_back(static_cast<int>(i) + 1, match[1]);
    }
  }
  return includes;
}

TEST(Tidy, IncludesFollowTheLayers) {
  const auto layers = ReadLayers();
  for (const SourceFile& file : Tree()) {
    if (file.is_test()) continue;
    const std::string folder = file.folder();
    const auto allowed = layers.find(folder);
    EXPECT_TRUE(allowed != layers.end()) << folder << " is not in layers.txt (" << file.path << ")";
    if (allowed == layers.end()) continue;
    for (const auto& [line, include] : Includes(file)) {
      if (!IsOurs(include)) continue;
      const std::string target = IncludedFolder(include);
      EXPECT_TRUE(target == folder || target == "common/base" || allowed->second.contains(target) ||
                  allowed->second.contains(include))
          << file.path << ":" << line << ": " << folder << " may not include " << include;
    }
  }
}

// fences.txt: `header-regex: path-regex…` of the files that may include it.
TEST(Tidy, ThirdPartyHeadersStayBehindTheirFences) {
  for (const std::string& line : ReadList(kRoot + "/tests/tidy/fences.txt")) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    const std::regex header(parts.first);
    const std::regex owners(parts.second);
    for (const SourceFile& file : Tree()) {
      if (file.is_test()) continue;
      for (const auto& [number, include] : Includes(file)) {
        if (!std::regex_match(include, header)) continue;
        EXPECT_TRUE(std::regex_match(file.path, owners))
            << file.path << ":" << number << ": " << include << " belongs to " << parts.second;
      }
    }
  }
}

// banned.txt: `regex => path-regex of the files that own it, or none`.
TEST(Tidy, BannedCallsStayWithTheirOwners) {
  for (const std::string& line : ReadList(kRoot + "/tests/tidy/banned.txt")) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(" => ", 1));
    const std::regex call(parts.first);
    const std::regex owners(parts.second);
    for (const SourceFile& file : Tree()) {
      if (std::regex_match(file.path, owners)) continue;
      for (size_t i = 0; i < file.code_lines.size(); ++i) {
        EXPECT_FALSE(std::regex_search(file.code_lines[i], call))
            << file.path << ":" << i + 1 << ": " << parts.first << " is banned outside "
            << parts.second;
      }
    }
  }
}

TEST(Tidy, NamesSayWhatTheyHold) {
  static const std::regex file_name(
      R"((^|.*[/_])(utils?|helpers?|manager|common2|impl|misc)([_.].*|$))");
  static const std::regex type_name(
      R"(\b(class|struct)\s+(\w*(Manager|Helper|Helpers|Util|Utils|Impl|Processor))\b)");
  for (const SourceFile& file : Tree()) {
    EXPECT_FALSE(std::regex_match(file.path, file_name)) << file.path;
    for (size_t i = 0; i < file.code_lines.size(); ++i) {
      std::smatch match;
      EXPECT_FALSE(std::regex_search(file.code_lines[i], match, type_name))
          << file.path << ":" << i + 1 << ": " << match.str();
    }
  }
}

TEST(Tidy, NoTestIsSwitchedOff) {
  static const std::regex commented(R"(^\s*//\s*(TEST|TEST_F|TEST_P|EXPECT_|ASSERT_)\w*\()");
  for (const SourceFile& file : Tree()) {
    if (file.path.starts_with("tests/tidy/")) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(std::regex_search(file.lines[i], commented)) << file.path << ":" << i + 1;
      EXPECT_FALSE(absl::StrContains(file.lines[i], "DISABLED_")) << file.path << ":" << i + 1;
    }
  }
}

TEST(Tidy, TestHooksAreUsedByTestsOnly) {
  static const std::regex hook(R"(\b\w+ForTest\()");
  static const std::regex declaration(R"(\w[\w:<>*& ]*\s[\w:]*ForTest\()");
  for (const SourceFile& file : Tree()) {
    if (file.is_test()) continue;
    for (size_t i = 0; i < file.code_lines.size(); ++i) {
      if (!std::regex_search(file.code_lines[i], hook)) continue;
      EXPECT_TRUE(std::regex_search(file.code_lines[i], declaration))
          << file.path << ":" << i + 1 << ": …ForTest() is for tests";
    }
  }
}

TEST(Tidy, MacrosAreFew) {
  static const std::regex define(R"(^#define\s+(\w+))");
  std::set<std::string> names;
  for (const SourceFile& file : Tree()) {
    if (file.is_test()) continue;
    std::set<std::string> undefined;
    for (const std::string& line : file.lines) {
      if (line.starts_with("#undef ")) undefined.insert(line.substr(7));
    }
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (std::regex_search(line, match, define) && !undefined.contains(match[1])) {
        names.insert(match[1]);
      }
    }
  }
  EXPECT_LE(names.size(), 10u) << absl::StrJoin(names, ", ");
}

TEST(Tidy, EveryFolderHasAShortReadme) {
  for (const std::string& folder : SecondLevelFolders(kRoot)) {
    const std::string path = absl::StrCat(kRoot, "/", folder, "/README.md");
    EXPECT_TRUE(std::filesystem::exists(path)) << folder << " has no README.md";
    EXPECT_LE(ReadList(path).size(), 80u) << path;
  }
}

TEST(Tidy, PublicHeadersExplainThemselves) {
  for (const SourceFile& file : Tree()) {
    if (file.is_test() || !file.is_header()) continue;
    int comments = 0;
    int filled = 0;
    for (size_t i = 0; i + 1 < file.lines.size(); ++i) {
      const bool blank = file.lines[i].find_first_not_of(' ') == std::string::npos;
      filled += blank ? 0 : 1;
      comments += absl::StrContains(file.lines[i], "//") ? 1 : 0;
    }
    if (comments * 100 < filled * 15) {
      std::cout << "warning: " << file.path << ": " << comments << " of " << filled
                << " lines carry a comment, 30 % are asked for\n";
    }
    EXPECT_TRUE(absl::StrContains(file.text, "#pragma once")) << file.path;
  }
}

}  // namespace
}  // namespace baton::tidy
