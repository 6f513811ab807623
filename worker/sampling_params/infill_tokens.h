// What the infill sampler knows of a vocabulary: whose text begins with whose, and the token that
// ends a text.
//
// All texts are put in order once. A token's own text and the texts that it begins are then next
// to each other, and comparing two tokens is comparing places:
//
//   tokens[first].Begins(tokens[second])   // "re" begins "return" and "re"; "" begins nothing
//
// Threading: immutable.
// Ownership: keeps nothing of the texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"

namespace baton::worker {

class InfillTokens {
 public:
  struct Place {
    int32_t at = 0;     // of the text among all texts
    int32_t begin = 0;  // [begin, end): of the texts that begin with this one
    int32_t end = 0;    // begin: the text is empty

    bool Begins(const Place& other) const { return begin <= other.at && other.at < end; }
  };

  // By token; markup has no text. `end` is drawn where no text is likely enough.
  InfillTokens(absl::Span<const std::string_view> texts, std::optional<TokenId> end);

  // Ids beyond the vocabulary begin nothing.
  Place operator[](TokenId token) const {
    return token < places_.size() ? places_[token] : Place{.at = -1};
  }

  std::optional<TokenId> end() const { return end_; }

 private:
  std::vector<Place> places_;
  std::optional<TokenId> end_;
};

}  // namespace baton::worker
