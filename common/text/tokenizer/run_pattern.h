// Expressions of the shape `\s?[X]+`: a run of characters of one set, of bounded length, maybe
// after one space. Digit groups, Falcon's splits and those of the first DeepSeek models are of this
// shape.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"
#include "common/text/unicode/char_properties.h"

namespace baton {

// A set of characters as a bracket expression lists them.
struct CharSet {
  struct Range {
    char32_t first;
    char32_t last;
  };
  CategorySet categories = 0;
  std::vector<Range> ranges;  // sorted, besides the categories
  bool white_space = false;   // White_Space too

  bool Contains(char32_t code) const;
};

class RunPattern : public SplitPattern {
 public:
  // Compiles `lead? set quantifier? $?` where lead is `\s?` or ` ?`; set is a bracket expression
  // without negation or nesting, `\s`, or `\p{…}` of a general category; quantifier is `+`, `{n}`,
  // `{m,n}` or the set written again. nullptr for anything else.
  static std::unique_ptr<const RunPattern> Compile(std::string_view regex);

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override;

 private:
  friend class RunPatternParser;
  enum class Lead { kNone, kSpace, kWhiteSpace };

  RunPattern() = default;

  // The end of a match that starts at `at`, or `at` when there is none.
  size_t MatchEnd(std::string_view text, size_t at) const;
  size_t RunEnd(std::string_view text, size_t at) const;
  void AppendTrailingRun(std::string_view text, uint32_t base, std::vector<Piece>& matches) const;

  // Constant after Compile.
  Lead lead_ = Lead::kNone;
  CharSet set_;
  uint32_t count_min_ = 1;
  uint32_t count_max_ = UINT32_MAX;
  bool at_end_ = false;  // only a run that ends the text, and no lead
};

}  // namespace baton
