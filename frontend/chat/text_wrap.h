// Lines of a bounded width, as Python's textwrap makes them.
//
// Threading: pure function, in time linear in the text.
// Ownership: the lines point into the text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace baton::frontend::internal {

struct WrapOptions {
  int64_t width = 79;            // in code points; REQUIRES: > 0
  bool break_long_words = true;  // a word wider than a line goes on in the next one
  bool break_on_hyphens = true;  // a line may end behind the hyphen of a compound word
};

// textwrap.wrap with its other options off: tabs and other white space stay as they are.
std::vector<std::string_view> WrapText(std::string_view text, const WrapOptions& options);

}  // namespace baton::frontend::internal
