// What the names in the GGUF key tokenizer.ggml.pre stand for.
//
// Threading: a constant table.
#pragma once

#include <string>
#include <string_view>

namespace baton {

// A named way to cut text, as the components of tokenizer.json that do the same.
struct GgufPreTokenizer {
  std::string_view names;          // separated by spaces
  std::string_view pre_tokenizer;  // JSON
  std::string_view normalizer;     // JSON
  bool ignore_merges;
  bool add_bos;  // when the file does not say
};

// nullptr for an unknown name.
const GgufPreTokenizer* FindGgufPreTokenizer(std::string_view name);

// All names, for the error that answers an unknown one.
std::string KnownGgufPreTokenizers();

}  // namespace baton
