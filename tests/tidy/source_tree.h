// The C++ files of the repository, as the lint test sees them.
//
// Threading: immutable after LoadSourceTree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::tidy {

struct SourceFile {
  std::string path;  // root-relative
  std::string text;
  std::vector<std::string> lines;  // as written
  std::string code;                // comments and literals blanked out, line breaks kept
  std::vector<std::string> code_lines;

  bool is_header() const { return path.ends_with(".h"); }
  bool is_test() const { return path.starts_with("tests/"); }
  // "worker/engine" of "worker/engine/policy/fcfs.cc"; "worker" of "worker/main.cc".
  std::string folder() const;
};

// Every .h, .cc and .cu file under the component folders and tests/, sorted by path.
std::vector<SourceFile> LoadSourceTree(const std::string& root);

// The second-level folders that hold a CMakeLists.txt, sorted: "worker/engine", …
std::vector<std::string> SecondLevelFolders(const std::string& root);

// `text` with comments, string and character literals replaced by spaces.
std::string BlankCommentsAndLiterals(std::string_view text);

// The lines of a file, without comments starting with '#' and blank ones.
std::vector<std::string> ReadList(const std::string& path);

}  // namespace baton::tidy
