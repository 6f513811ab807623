#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace baton::tidy {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Blanks one literal that starts at `i`; returns the position after it.
size_t BlankLiteral(std::string_view text, size_t i, std::string& out) {
  const char quote = text[i];
  ++i;
  while (i < text.size() && text[i] != quote && text[i] != '\n') {
    const size_t step = text[i] == '\\' ? 2 : 1;
    for (size_t k = i; k < std::min(i + step, text.size()); ++k) {
      if (text[k] != '\n') out[k] = ' ';
    }
    i += step;
  }
  return i + 1;
}

// Blanks R"delimiter(…)delimiter" whose R stands at `i`; returns the position after it.
size_t BlankRawString(std::string_view text, size_t i, std::string& out) {
  const size_t open = text.find('(', i);
  if (open == std::string_view::npos) return i + 1;
  const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
  size_t end = text.find(close, open);
  end = end == std::string_view::npos ? text.size() : end + close.size();
  for (size_t k = i; k < end; ++k) {
    if (text[k] != '\n') out[k] = ' ';
  }
  return end;
}

bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

}  // namespace

std::string SourceFile::folder() const {
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  if (parts.size() <= 2) return parts[0];
  return parts[0] + "/" + parts[1];
}

std::string BlankCommentsAndLiterals(std::string_view text) {
  std::string out(text);
  size_t i = 0;
  while (i < text.size()) {
    if (text.substr(i, 2) == "//") {
      while (i < text.size() && text[i] != '\n') out[i++] = ' ';
    } else if (text.substr(i, 2) == "/*") {
      size_t end = text.find("*/", i);
      end = end == std::string_view::npos ? text.size() : end + 2;
      for (; i < end; ++i) {
        if (text[i] != '\n') out[i] = ' ';
      }
    } else if (text.substr(i, 2) == "R\"" && (i == 0 || !IsWordChar(text[i - 1]))) {
      i = BlankRawString(text, i, out);
    } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !IsWordChar(text[i - 1])))) {
      i = BlankLiteral(text, i, out);
    } else {
      ++i;
    }
  }
  return out;
}

std::vector<SourceFile> LoadSourceTree(const std::string& root) {
  std::vector<SourceFile> files;
  for (const char* top : {"common", "frontend", "router", "worker", "tests"}) {
    if (!fs::exists(fs::path(root) / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / top)) {
      const std::string extension = entry.path().extension();
      if (!entry.is_regular_file() ||
          (extension != ".h" && extension != ".cc" && extension != ".cu")) {
        continue;
      }
      SourceFile file;
      file.path = fs::relative(entry.path(), root).string();
      file.text = ReadFile(entry.path());
      file.lines = absl::StrSplit(file.text, '\n');
      file.code = BlankCommentsAndLiterals(file.text);
      file.code_lines = absl::StrSplit(file.code, '\n');
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string> SecondLevelFolders(const std::string& root) {
  std::vector<std::string> folders;
  for (const char* top : {"common", "frontend", "router", "worker"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(root) / top)) {
      if (entry.is_directory() && fs::exists(entry.path() / "CMakeLists.txt")) {
        folders.push_back(fs::relative(entry.path(), root).string());
      }
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<std::string> ReadList(const std::string& path) {
  std::vector<std::string> entries;
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    line.resize(std::min(line.size(), line.find('#')));
    const absl::string_view entry = absl::StripAsciiWhitespace(line);
    if (!entry.empty()) entries.emplace_back(entry);
  }
  return entries;
}

}  // namespace baton::tidy
