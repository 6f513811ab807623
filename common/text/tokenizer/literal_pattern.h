// A string as a pattern.
//
// Threading: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text/tokenizer/split_pattern.h"

namespace baton {

class LiteralPattern : public SplitPattern {
 public:
  // REQUIRES: literal is not empty.
  explicit LiteralPattern(std::string literal) : literal_(std::move(literal)) {}

  absl::Status AppendMatches(std::string_view text, uint32_t base,
                             std::vector<Piece>& matches) const override {
    for (size_t at = text.find(literal_); at != std::string_view::npos;
         at = text.find(literal_, at + literal_.size())) {
      matches.push_back(
          {base + static_cast<uint32_t>(at), base + static_cast<uint32_t>(at + literal_.size())});
    }
    return absl::OkStatus();
  }

 private:
  const std::string literal_;
};

}  // namespace baton
