#include "tests/tidy/function_lengths.h"

#include <algorithm>
#include <cctype>

namespace baton::tidy {
namespace {

bool IsNameChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':' || c == '~';
}

// The declaration text between the last ';', '{' or '}' and the brace at `brace`.
std::string Declaration(const std::string& code, size_t brace) {
  size_t begin = brace;
  while (begin > 0 && code[begin - 1] != ';' && code[begin - 1] != '{' && code[begin - 1] != '}') {
    --begin;
  }
  return code.substr(begin, brace - begin);
}

// The name before the first parameter list of a function's declaration; empty: not a function.
std::string FunctionName(const std::string& declaration) {
  for (const char* word : {"namespace ", "class ", "struct ", "union ", "enum ", "extern "}) {
    const size_t at = declaration.find(word);
    const size_t paren = declaration.find('(');
    if (at != std::string::npos && (paren == std::string::npos)) return "";
  }
  const size_t paren = declaration.find('(');
  if (paren == std::string::npos) return "";
  const size_t equals = declaration.find('=');
  if (equals != std::string::npos && equals < paren &&
      declaration.find("operator") == std::string::npos) {
    return "";
  }
  size_t end = paren;
  while (end > 0 && std::isspace(static_cast<unsigned char>(declaration[end - 1]))) --end;
  size_t begin = end;
  while (begin > 0 && IsNameChar(declaration[begin - 1])) --begin;
  return declaration.substr(begin, end - begin);
}

size_t MatchingBrace(const std::string& code, size_t open) {
  int depth = 0;
  for (size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i;
  }
  return code.size();
}

int LineOf(const std::string& code, size_t position) {
  return 1 + static_cast<int>(
                 std::count(code.begin(), code.begin() + static_cast<long>(position), '\n'));
}

// Preprocessor lines would unbalance the braces: macros are blanked, with their continuations.
std::string WithoutPreprocessor(std::string code) {
  bool in_directive = false;
  bool line_start = true;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '\n') {
      in_directive = in_directive && i > 0 && code[i - 1] == '\\';
      line_start = true;
      continue;
    }
    if (line_start && code[i] == '#') in_directive = true;
    if (!std::isspace(static_cast<unsigned char>(code[i]))) line_start = false;
    if (in_directive && code[i] != '\\') code[i] = ' ';
  }
  return code;
}

}  // namespace

std::vector<FunctionBody> FindFunctions(const SourceFile& file) {
  const std::string code = WithoutPreprocessor(file.code);
  std::vector<FunctionBody> bodies;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i] != '{') continue;
    const std::string name = FunctionName(Declaration(code, i));
    if (name.empty()) continue;  // a namespace, class or initialiser: look inside
    const size_t close = MatchingBrace(code, i);
    const int first = LineOf(code, i);
    bodies.push_back({name, first, LineOf(code, std::min(close, code.size() - 1)) - first + 1});
    i = close;
  }
  return bodies;
}

}  // namespace baton::tidy
