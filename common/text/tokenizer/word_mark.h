// The mark that sentencepiece puts for a space: "▁".
//
// Threading: a constant.
#pragma once

#include <string_view>

namespace baton {

inline constexpr std::string_view kWordMark = "\xE2\x96\x81";

}  // namespace baton
