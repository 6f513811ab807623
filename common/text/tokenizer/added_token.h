// A token that is recognised in text before anything else is done with it.
//
// Threading: a value.
#pragma once

#include <string>

#include "common/base/ids.h"

namespace baton {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false;             // markup: Decode can skip it, Encode can leave it as plain text
  bool single_word = false;         // not inside a word
  bool lstrip = false;              // takes the blanks before it along
  bool rstrip = false;              // and those after it
  bool normalized = false;          // found in normalized text, spelled as normalization leaves it
  bool spelled_normalized = false;  // content is spelled so already
  bool renamed = false;             // normalization changed content
};

}  // namespace baton
