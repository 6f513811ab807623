// Finds the functions of a C++ file and how many lines each body has.
//
// A heuristic that reads braces, not a parser: a body is a brace that follows a parameter list (and
// its qualifiers or initialisers) outside any other body. Lambdas count for the function they are
// in.
#pragma once

#include <string>
#include <vector>

#include "tests/tidy/source_tree.h"

namespace baton::tidy {

struct FunctionBody {
  std::string name;
  int first_line = 0;  // of the signature's name, from 1
  int line_count = 0;  // from the opening to the closing brace, both included
};

std::vector<FunctionBody> FindFunctions(const SourceFile& file);

}  // namespace baton::tidy
